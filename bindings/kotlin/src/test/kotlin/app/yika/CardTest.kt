package app.yika

import app.yika.testing.Campus
import app.yika.testing.Phone
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir
import java.net.ServerSocket
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.hours

/** The card as an app on the JVM sees it, with a real campus around it. */
class CardTest {
    @TempDir
    lateinit var folder: Path

    private val payment = CodePurpose.Payment(account = null)

    @Test
    fun `a card that was bound online pays without network and settles when it is back`() =
        onCampus { campus ->
            val card = Phone(folder.resolve("phone")).open()
            card.session().bind(campus.url.toString(), campus.idToken("20260001"))
            card.sync()
            assertTrue(card.session().state() is SessionState.Active)
            val main = card.mainAccount()
            val before = checkNotNull(main.balance)
            val till = campus.terminal("till", "pos")
            val desk = campus.terminal("desk", "library")

            campus.stop()
            val code = card.codes().show(payment, FormChoice.SHORT)
            assertEquals(37u, code.size)
            assertEquals(37 * 5, code.modules.size)
            assertEquals(main.id, code.account)
            assertTrue(code.shownAt < code.refreshAt && code.refreshAt < code.expiresAt)
            assertEquals("approved", till.pay("12.50", code.text))
            assertEquals("REPLAY", till.pay("12.50", code.text))
            val identity = card.codes().show(CodePurpose.Identity, FormChoice.SHORT)
            assertNull(identity.account)
            assertEquals("approved", desk.identity(identity.text))
            assertFailsWith<YikaException.Network> { card.sync() }
            assertEquals(before, card.mainAccount().balance, "nothing is known of the payment, and nothing is guessed")

            campus.start()
            till.upload()
            card.sync()
            val after = checkNotNull(card.mainAccount().balance)
            assertEquals(before.amount - 1250, after.amount)
            assertTrue(after.version > before.version && after.asOf > before.asOf)
            val page = card.bills().page(BillQuery(account = main.id), 1u)
            val bill = page.bills.single()
            assertEquals(-1250L, bill.amount)
            assertEquals(BillKind.PURCHASE, bill.kind)
            assertEquals(BillStatus.POSTED, bill.status)
        }

    @Test
    fun `what is missing or wrong before binding is a typed error with a stable code`() =
        runBlocking<Unit> {
            val card = Phone(folder).open()
            val missing =
                assertFailsWith<YikaException.NotBound> { card.codes().showBlocking(payment, FormChoice.SHORT) }
            assertEquals("not_bound", missing.code())
            assertFalse(missing.retryable())
            assertEquals("no campus card is bound; bind one while online", missing.toString())
            assertFailsWith<YikaException.NotBound> { card.codes().until() }
            assertFailsWith<YikaException.NotBound> { card.accounts().list() }
            assertFailsWith<YikaException.CleartextRefused> { card.session().bind("http://card.example.edu", "token") }
            assertFailsWith<YikaException.InvalidPlatformUrl> { card.session().bind("card.example.edu", "token") }
        }

    @Test
    @Timeout(60)
    fun `opening leaves its caller's thread alone while a port takes its time`() =
        runBlocking<Unit> {
            val phone = Phone(folder)
            val answers = CountDownLatch(1)
            phone.keyWrap.beforeAnswering = answers::await
            val opening = async { phone.open() }
            // Runs on the one thread that opening was called on.
            launch { answers.countDown() }
            opening.await().use { card -> assertEquals(SessionState.Unbound, card.session().state()) }
        }

    @Test
    fun `a root key given beforehand binds to no other school`() =
        onCampus { campus ->
            val another = ByteArray(ROOT_KEY_LENGTH) { 2 }
            val session = Phone(folder.resolve("phone"), rootKey = another).open().session()
            val refused =
                assertFailsWith<YikaException.RootKeyMismatch> {
                    session.bind(campus.url.toString(), campus.idToken("20260001"))
                }
            assertEquals("root_key_mismatch", refused.code())
            assertEquals(SessionState.Unbound, session.state())
        }

    @Test
    fun `a platform that cannot be reached is an error worth another try`() =
        runBlocking<Unit> {
            val nobody = ServerSocket(0).use { it.localPort }
            val session = Phone(folder).open().session()
            val unreachable =
                assertFailsWith<YikaException.Network> { session.bind("http://127.0.0.1:$nobody", "token") }
            assertTrue(unreachable.retryable())
            assertEquals(SessionState.Unbound, session.state())
        }

    @Test
    fun `a keystore that misbehaves shows no code, and each way is an error of its own`() =
        onCampus { campus ->
            val phone = Phone(folder.resolve("phone"))
            val codes = phone.bound(campus).codes()
            val keystore = checkNotNull(phone.keystore)

            suspend fun showNew(): CodeFrame {
                codes.erase()
                return codes.show(payment, FormChoice.SHORT)
            }
            keystore.insteadOfSigning = { throw DeviceKeyException.Locked() }
            assertFailsWith<YikaException.KeyLocked> { showNew() }
            keystore.insteadOfSigning = { throw DeviceKeyException.Invalidated() }
            assertFailsWith<YikaException.KeyInvalidated> { showNew() }
            keystore.insteadOfSigning = { throw IllegalStateException(CANARY) }
            val undeclared = assertFailsWith<YikaException.KeyUnavailable> { showNew() }
            assertFalse(CANARY in undeclared.stackTraceToString())
            keystore.insteadOfSigning = { ByteArray(64) { 7 } }
            val garbage = assertFailsWith<YikaException.Internal> { showNew() }
            assertEquals(InternalFault.BAD_SIGNATURE, garbage.fault)
            keystore.insteadOfSigning = null
            assertTrue(showNew().text.startsWith("C1"))
        }

    @Test
    fun `a wall clock that is wrong spoils no code, and clocks that do not answer are an error`() =
        onCampus { campus ->
            val phone = Phone(folder.resolve("phone"))
            phone.clock.wallError = 1.hours
            val codes = phone.bound(campus).codes()
            val till = campus.terminal("till", "pos")
            phone.clock.wallError = (-5).hours
            assertEquals(ClockQuality.GOOD, codes.clockQuality())
            assertEquals("approved", till.pay("3.00", codes.show(payment, FormChoice.SHORT).text))
            phone.clock.works = false
            val broken = assertFailsWith<YikaException.Internal> { codes.clockQuality() }
            assertEquals(InternalFault.CLOCK, broken.fault)
        }

    @Test
    fun `an app that was closed shows codes again without network, and never the same one`() =
        onCampus { campus ->
            val phone = Phone(folder.resolve("phone"), keystore = null)
            val till = campus.terminal("till", "pos")
            val first =
                phone.bound(campus).use { card ->
                    card.codes().use { it.show(payment, FormChoice.FULL) }.also { card.finish() }
                }
            campus.stop()
            val second = phone.open().codes().showBlocking(payment, FormChoice.FULL)
            assertNotEquals(first.text, second.text)
            assertEquals("approved", till.pay("1.00", first.text))
            assertEquals("approved", till.pay("1.00", second.text))
        }

    @Test
    fun `a coroutine that is cancelled loses its answer and nothing else`() =
        onCampus { campus ->
            val card = Phone(folder.resolve("phone")).bound(campus)
            repeat(20) {
                launch(Dispatchers.Default) { card.sync() }.cancelAndJoin()
            }
            card.sync()
            assertEquals(3, card.accounts().list().size)
        }

    @Test
    fun `many calls at once all get the code that is on the screen`() =
        onCampus { campus ->
            val codes = Phone(folder.resolve("phone")).bound(campus).codes()
            codes.setDefaultAccount(null)
            val calls = List(100) { async(Dispatchers.Default) { codes.show(payment, FormChoice.SHORT) } }
            assertEquals(1, calls.awaitAll().distinctBy { it.text }.size)
        }

    @Test
    fun `a code says nothing of itself as text`() =
        onCampus { campus ->
            val code = Phone(folder.resolve("phone")).bound(campus).codes().show(payment, FormChoice.SHORT)
            assertFalse(code.text in code.toString())
            assertTrue("Short" in code.toString())
        }

    private suspend fun CampusCard.mainAccount(): Account = accounts().list().first()

    private suspend fun Phone.bound(campus: Campus): CampusCard =
        open().also { card ->
            card.session().use { it.bind(campus.url.toString(), campus.idToken("20260001")) }
        }

    private fun onCampus(story: suspend CoroutineScope.(Campus) -> Unit) =
        Campus(folder).use { campus -> runBlocking { story(campus) } }

    private companion object {
        const val CANARY = "canary-7f3a"
        const val ROOT_KEY_LENGTH = 33
    }
}
