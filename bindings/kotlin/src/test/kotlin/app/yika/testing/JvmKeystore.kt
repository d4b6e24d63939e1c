package app.yika.testing

import app.yika.DeviceKey
import app.yika.DeviceKeyException
import app.yika.DeviceSigner
import app.yika.KeyPurpose
import app.yika.KeyStorage
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentHashMap.newKeySet

/** A keystore of `java.security` keys, as Android's is: EC keys that answer DER. It can be told to misbehave. */
class JvmKeystore : DeviceSigner {
    private val keys = ConcurrentHashMap<String, KeyPair>()

    /** The labels of the keys for which the user is asked. */
    private val approving = newKeySet<String>()

    /** What comes instead of a signature, where a test wants that. */
    @Volatile var insteadOfSigning: (() -> ByteArray)? = null

    /** What the user does when asked for a finger: nothing, or this error. */
    @Volatile var userError: DeviceKeyException? = null

    override fun create(
        purpose: KeyPurpose,
        label: String,
    ): DeviceKey {
        val generator = KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }
        val pair = generator.generateKeyPair()
        keys[label] = pair
        if (purpose == KeyPurpose.APPROVAL) approving += label
        // The X.509 encoding of a P-256 key ends with the uncompressed point.
        val point = pair.public.encoded.takeLast(POINT_LENGTH)
        return DeviceKey(point.toByteArray(), KeyStorage.TEE)
    }

    override fun sign(
        label: String,
        message: ByteArray,
    ): ByteArray {
        insteadOfSigning?.let { return it() }
        userError?.takeIf { label in approving }?.let { throw it }
        val pair = keys[label] ?: throw DeviceKeyException.Missing()
        return Signature.getInstance("SHA256withECDSA").run {
            initSign(pair.private)
            update(message)
            sign()
        }
    }

    override fun remove(label: String) {
        keys.remove(label)
    }

    private companion object {
        const val POINT_LENGTH = 65
    }
}
