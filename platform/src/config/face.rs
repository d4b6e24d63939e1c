//! What the platform is told about face photos.

use crate::clock::DAY;
use std::path::{Path, PathBuf};
use yika_api::LocalizedText;
use yika_api::face::ConsentText;

/// What face photos are for, and how long they are kept where.
#[derive(Clone, Debug)]
pub struct FacePolicy {
    /// What a holder agrees to.
    pub text: ConsentText,
    /// Folder of the portraits' keys, one file each. Whoever has it and the database can read the portraits; a portrait whose
    /// key is gone can't be read by anybody. So it is left out of backups, and all servers of one database share it.
    pub keys_dir: PathBuf,
    /// For how long a terminal keeps and uses portraits without hearing from the platform, in milliseconds.
    pub lease_ms: i64,
    /// After how long a portrait that never came whole is dropped, in milliseconds.
    pub patience_ms: i64,
}

impl FacePolicy {
    /// Portraits for gates and POS, leased for 30 days, dropped after a week where they never come whole; the keys in this
    /// folder.
    pub fn with_keys_in(folder: &Path) -> Self {
        Self {
            text: ConsentText {
                version: 1,
                text: LocalizedText {
                    zh: "用于门禁和餐饮POS的人脸识别，由学校卡务中心审核，只下发到校内门禁和餐饮终端。原图不保存。不同意也可刷卡或用\
                         码。可随时撤回，照片随即删除，离线终端最迟30天内删除。"
                        .to_owned(),
                    en: "For face recognition at the gates and canteen tills of this school. The card office looks at it; only \
                         those terminals get it. The original is not kept. You can use card or code instead. Withdraw any \
                         time: the photo is deleted then, and within 30 days at the latest at a terminal without network."
                        .to_owned(),
                },
            },
            keys_dir: folder.to_owned(),
            lease_ms: 30 * DAY,
            patience_ms: 7 * DAY,
        }
    }
}
