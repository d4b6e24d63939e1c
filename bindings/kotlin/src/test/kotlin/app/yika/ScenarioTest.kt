package app.yika

import app.yika.testing.Bank
import app.yika.testing.Campus
import app.yika.testing.FaceOffice
import app.yika.testing.JvmKeystore
import app.yika.testing.Phone
import app.yika.testing.Terminal
import app.yika.testing.json
import app.yika.testing.text
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.nameWithoutExtension
import kotlin.io.path.readText
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Plays every scenario of `tests/scenarios`, whose README tells the steps. */
class ScenarioTest {
    @TempDir
    lateinit var folder: Path

    @TestFactory
    fun scenarios(): List<DynamicTest> {
        val files = Path.of("../../tests/scenarios").listDirectoryEntries("*.json").sorted()
        assertTrue(files.isNotEmpty(), "there are no scenarios; run this in its project's folder")
        return files.map { file ->
            val scenario = json(file.readText())
            dynamicTest(scenario.text("name")) { play(scenario, file.nameWithoutExtension) }
        }
    }

    private fun play(
        scenario: JsonObject,
        name: String,
    ) = Campus(folder.resolve(name).createDirectory()).use { campus ->
        runBlocking {
            val phone = Phone(folder.resolve(name).resolve("phone"))
            phone.open().use { card ->
                val player = Player(campus, card, checkNotNull(phone.keystore))
                val steps = checkNotNull(scenario["steps"]).jsonArray.map { it.jsonObject }
                steps.forEach { step -> player.play(ScenarioStep(step)) }
            }
        }
    }
}

private class Player(
    private val campus: Campus,
    private val card: CampusCard,
    keystore: JvmKeystore,
) {
    private val terminals = mutableMapOf<String, Terminal>()
    private val codes = mutableMapOf<String, String>()
    private val money = MoneyPlayer(card, keystore) { Bank(campus.url) }
    private val faces = FacePlayer(card) { FaceOffice(campus.url) }
    private val lost = LostPlayer(card, campus)
    private val merchants = MerchantPlayer(card)

    /** The balances that the phone first knew, in fen by slot. */
    private val firstBalances = mutableMapOf<Long, Fen>()

    suspend fun play(step: ScenarioStep) {
        when (step.name) {
            "bind" -> {
                step.mayFail { card.session().bind(campus.url.toString(), campus.idToken(text("student"))) }
            }

            "sync" -> {
                step.mayFail { card.sync() }
            }

            "network" -> {
                if (step.boolean("up")) campus.start() else campus.stop()
            }

            "terminal" -> {
                terminals[step.text("name")] = campus.terminal(step.text("name"), step.text("kind"))
            }

            "code" -> {
                step.mayFail { showCode() }
            }

            "verify" -> {
                verify(step)
            }

            "upload" -> {
                terminal(step).upload()
            }

            "terminal_sync" -> {
                terminal(step).sync()
            }

            "balance" -> {
                balance(step)
            }

            "newest_bill" -> {
                newestBill(step)
            }

            "sign_out" -> {
                step.mayFail { card.session().signOut() }
            }

            else -> {
                check(
                    money.play(step) || faces.play(step) || lost.play(step) || merchants.play(step),
                ) { "an unknown step: ${step.name}" }
            }
        }
        step.finish()
        rememberBalances()
    }

    private suspend fun ScenarioStep.showCode() {
        val purpose =
            when (val purpose = text("for")) {
                "payment" -> CodePurpose.Payment(account = null)
                "identity" -> CodePurpose.Identity
                else -> error("no code is for $purpose")
            }
        val form = FormChoice.valueOf(text("form").uppercase())
        val name = text("as")
        card.codes().erase()
        codes[name] = card.codes().show(purpose, form).text
    }

    private fun verify(step: ScenarioStep) {
        val code = checkNotNull(codes[step.text("code")]) { "no code of that name was shown" }
        val amount = step.textIfAny("amount")
        val terminal = terminal(step)
        val answer = if (amount == null) terminal.identity(code) else terminal.pay(amount, code)
        assertEquals(step.text("answer"), answer)
    }

    private suspend fun balance(step: ScenarioStep) {
        val slot = step.long("slot")
        val first = checkNotNull(firstBalances[slot]) { "the balance of slot $slot was never known" }
        assertEquals(step.long("change"), knownBalances().getValue(slot) - first)
    }

    private suspend fun newestBill(step: ScenarioStep) {
        val page = card.bills().page(BillQuery(), 1u)
        val bill = page.bills.single()
        assertEquals(step.long("amount"), bill.amount)
        assertEquals(step.text("status"), bill.status.name.lowercase())
    }

    private suspend fun rememberBalances() {
        if (card.session().state() is SessionState.Active) {
            knownBalances().forEach(firstBalances::putIfAbsent)
        }
    }

    private suspend fun knownBalances(): Map<Long, Fen> =
        card
            .accounts()
            .list()
            .mapNotNull { account -> account.balance?.let { account.slot.toLong() to it.amount } }
            .toMap()

    private fun terminal(step: ScenarioStep): Terminal {
        val name = step.text("terminal")
        return checkNotNull(terminals[name]) { "no terminal is called $name" }
    }
}
