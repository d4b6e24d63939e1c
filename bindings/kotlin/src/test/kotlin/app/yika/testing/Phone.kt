package app.yika.testing

import app.yika.CampusCard
import app.yika.Config
import app.yika.HttpLimits
import app.yika.Ports
import java.nio.file.Path

/** A phone: what lasts while apps come and go. Without a [keystore] its keys live in the card's own store. */
class Phone(
    private val folder: Path,
    val keystore: JvmKeystore? = JvmKeystore(),
    private val rootKey: ByteArray? = null,
) {
    val clock = TestClock()
    val keyWrap = JvmKeyWrap()
    private val witness = MemoryWitness()

    /** Starts the app. */
    suspend fun open(): CampusCard {
        val config =
            Config(folder.toString(), deviceName = "JVM", rootKey = rootKey, limits = HttpLimits(retries = 0u))
        return CampusCard.open(config, Ports(clock, keystore, keyWrap, witness))
    }
}
