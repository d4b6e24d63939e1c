//! The next server key, and the replacement of a stolen one.

use crate::admin::Admin;
use crate::error::Result;
use crate::issuer::{self, Rotation, Start};
use yika_api::UnixMillis;
use yika_format::lists::Role;

impl Admin<'_> {
    /// Makes the next key that signs in a role, from `starts_at` on: until then terminals and phones have time to fetch the
    /// keyset that vouches for it. Servers that run take it up within a minute, where its file is in their folder too. The root
    /// key must be here.
    ///
    /// # Errors
    /// Where the root key is away, a key cannot be made, or the database fails.
    pub async fn rotate_key(&self, role: Role, starts_at: UnixMillis) -> Result<Rotation> {
        self.rotate(role, Start::At(starts_at)).await
    }

    /// Replaces the credential key at once, because it was stolen: no credential that it signed holds any more, once terminals
    /// and phones have the new keyset.
    ///
    /// # Errors
    /// As [`Self::rotate_key`].
    pub async fn replace_credential_key(&self) -> Result<Rotation> {
        self.rotate(Role::Credential, Start::InPlaceOfOthers).await
    }

    async fn rotate(&self, role: Role, start: Start) -> Result<Rotation> {
        let (config, db) = (self.platform().config(), self.platform().db());
        let rotation = issuer::rotate(config, db, self.actor(), (role, start), self.now()).await?;
        self.platform().take_up_keys().await?;
        Ok(rotation)
    }
}
