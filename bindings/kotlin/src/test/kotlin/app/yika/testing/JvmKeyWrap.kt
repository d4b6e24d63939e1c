package app.yika.testing

import app.yika.DeviceKeyException
import app.yika.KeyWrap
import java.security.GeneralSecurityException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** A wrapping key in memory: AES-256-GCM, as Android's keystore does it. */
class JvmKeyWrap : KeyWrap {
    @Volatile private var key: SecretKey = newKey()

    /** What comes before each answer, where a test wants that. */
    @Volatile var beforeAnswering: () -> Unit = {}

    override fun wrap(
        key: ByteArray,
        aad: ByteArray,
    ): ByteArray {
        beforeAnswering()
        val cipher = Cipher.getInstance(ALGORITHM).apply { init(Cipher.ENCRYPT_MODE, this@JvmKeyWrap.key) }
        cipher.updateAAD(aad)
        return cipher.iv + cipher.doFinal(key)
    }

    override fun unwrap(
        wrapped: ByteArray,
        aad: ByteArray,
    ): ByteArray {
        beforeAnswering()
        return try {
            val iv = GCMParameterSpec(TAG_BITS, wrapped, 0, IV_LENGTH)
            val cipher = Cipher.getInstance(ALGORITHM).apply { init(Cipher.DECRYPT_MODE, key, iv) }
            cipher.updateAAD(aad)
            cipher.doFinal(wrapped, IV_LENGTH, wrapped.size - IV_LENGTH)
        } catch (_: GeneralSecurityException) {
            throw DeviceKeyException.Invalidated()
        }
    }

    override fun forget() {
        key = newKey()
    }

    private fun newKey(): SecretKey = KeyGenerator.getInstance("AES").apply { init(KEY_BITS) }.generateKey()

    private companion object {
        const val ALGORITHM = "AES/GCM/NoPadding"
        const val KEY_BITS = 256
        const val TAG_BITS = 128
        const val IV_LENGTH = 12
    }
}
