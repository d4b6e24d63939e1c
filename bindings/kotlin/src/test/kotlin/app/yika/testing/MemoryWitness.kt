package app.yika.testing

import app.yika.Witness

/** A witness that lives as long as the test. */
class MemoryWitness : Witness {
    @Volatile private var bytes: ByteArray? = null

    override fun load(): ByteArray? = bytes

    override fun store(bytes: ByteArray) {
        this.bytes = bytes
    }

    override fun clear() {
        bytes = null
    }
}
