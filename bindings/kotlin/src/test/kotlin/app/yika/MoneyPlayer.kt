package app.yika

import app.yika.testing.Bank
import app.yika.testing.JvmKeystore
import kotlin.test.assertEquals

/** Plays the steps of scenarios that are about the wallet and money that moves. */
internal class MoneyPlayer(
    private val card: CampusCard,
    private val keystore: JvmKeystore,
    private val bank: () -> Bank,
) {
    /** Plans by the name that the scenario gave them. */
    private val plans = mutableMapOf<String, Plan>()

    /** Bound places, likewise. */
    private val places = mutableMapOf<String, Uuid>()

    /** Whether the step was one of these. */
    suspend fun play(step: ScenarioStep): Boolean {
        when (step.name) {
            "bank" -> tellBank(step)
            "open_wallet" -> step.mayFail { openWallet() }
            "bind_bank_card" -> step.mayFail { bindBankCard() }
            "top_up" -> step.mayFail { topUp() }
            "recharge" -> step.mayFail { recharge() }
            "withdraw" -> step.mayFail { withdraw() }
            "confirm" -> step.mayFail { confirm(plan(step)) }
            "cancel" -> step.mayFail { card.operations().cancel(plan(step).id) }
            "operation" -> assertEquals(phase(step), card.operations().get(plan(step).id).phase)
            "wallet" -> wallet(step)
            "close_wallet" -> step.mayFail { card.wallet().close(bytes("password")) }
            else -> return playService(step)
        }
        return true
    }

    private suspend fun playService(step: ScenarioStep): Boolean {
        when (step.name) {
            "bind_place" -> step.mayFail { bindPlace() }
            "place" -> place(step)
            "pay_utility" -> step.mayFail { payUtility() }
            "limits" -> step.mayFail { setLimits() }
            "approvals" -> step.mayFail { setApprovals() }
            "user" -> tellUser(step)
            "dispute" -> step.mayFail { dispute() }
            "disputed" -> disputed(step)
            "auto_top_up" -> step.mayFail { autoTopUp() }
            "stop_auto_top_up" -> step.mayFail { card.accounts().stopAutoTopUp(account(long("slot")).id) }
            "automatic" -> automatic(step)
            else -> return false
        }
        return true
    }

    private suspend fun ScenarioStep.bindPlace() {
        val bound = card.utilities().bind(text("provider"), text("code"))
        places[text("as")] = bound.id
    }

    private suspend fun place(step: ScenarioStep) {
        val known = card.utilities().balance(place(step.text("place")))
        assertEquals(step.long("balance"), known.balance?.amount)
    }

    private suspend fun ScenarioStep.payUtility() {
        val account = account(long("slot"))
        val source = UtilitySource.Account(account.id)
        val plan = card.operations().planUtility(place(text("place")), long("amount"), source)
        plans[text("as")] = plan
        val operation = card.operations().confirm(plan, stepUp())
        assertEquals(phase(this), operation.phase)
    }

    private suspend fun ScenarioStep.setLimits() {
        card.limits().set(long("single"), long("day"), stepUp())
    }

    private suspend fun ScenarioStep.setApprovals() {
        val on = boolean("on")
        if (on) card.approvals().turnOn(bytes("password")) else card.approvals().turnOff()
        assertEquals(on, card.approvals().isOn())
    }

    private fun tellUser(step: ScenarioStep) {
        keystore.userError =
            when (val reaction = step.text("reaction")) {
                "confirms" -> null
                "cancels" -> DeviceKeyException.Cancelled()
                "adds_finger" -> DeviceKeyException.Invalidated()
                else -> error("no user $reaction")
            }
    }

    /** How the holder shows to be there, where the step says. */
    private fun ScenarioStep.stepUp(): StepUp? =
        when {
            isSet("approve") -> StepUp.Approval
            else -> textIfAny("password")?.let { StepUp.Password(it.toByteArray()) }
        }

    private suspend fun ScenarioStep.dispute() {
        val newest = card.bills().page(BillQuery(), 1u)
        val reason = DisputeReason.valueOf(text("reason").uppercase())
        val dispute = card.bills().dispute(newest.bills.single().id, reason, textIfAny("text").orEmpty())
        assertEquals(isSet("waits"), dispute == null)
    }

    private suspend fun disputed(step: ScenarioStep) {
        val newest = card.bills().page(BillQuery(), 1u)
        val dispute = checkNotNull(newest.bills.single().dispute) { "the newest bill is under no dispute" }
        assertEquals(step.text("phase"), dispute.phase.name.lowercase())
        assertEquals(emptyList(), card.bills().disputeDrafts())
    }

    private suspend fun ScenarioStep.autoTopUp() {
        val rule =
            AutoTopUpRule(
                below = long("below"),
                add = long("add"),
                dayCap = long("day_cap"),
                consent = autoTopUpConsentVersion(),
            )
        val accounts = card.accounts().setAutoTopUp(account(long("slot")).id, rule, bytes("password"))
        val kept = accounts.single { it.slot.toLong() == long("slot") }
        assertEquals(rule.add, kept.autoTopUp?.add)
    }

    private suspend fun automatic(step: ScenarioStep) {
        bank().drive()
        card.sync()
        val page = card.operations().page(after = null, limit = PAGE)
        val ends =
            page.operations.filter { it.isAutomatic }.map { operation ->
                var phase = operation.phase
                while (phase !in ENDS) phase = card.operations().watch(operation.id, phase).phase
                phase
            }
        assertEquals(List(step.long("count").toInt()) { Phase.CREDITED }, ends)
        card.sync()
    }

    private fun place(name: String) = checkNotNull(places[name]) { "no place of that name" }

    private suspend fun account(slot: Long): Account {
        val accounts = card.accounts().list()
        return accounts.single { it.slot.toLong() == slot }
    }

    private fun tellBank(step: ScenarioStep) {
        val fault = step.text("fault")
        if (fault == "settle") bank().settle() else bank().plan(fault.takeUnless { it == "none" })
    }

    private suspend fun ScenarioStep.openWallet() {
        val terms =
            card
                .wallet()
                .sync()
                .terms.version
        card.wallet().open(terms, identity(), bytes("password"))
    }

    private suspend fun ScenarioStep.bindBankCard() {
        val binding = card.wallet().beginCard(CardInput(bytes("number"), identity(), bytes("phone")))
        card.wallet().confirmCard(binding.id, bank().lastCode().toByteArray())
    }

    private fun ScenarioStep.identity() = IdentityInput(bytes("name"), bytes("id_number"))

    private suspend fun ScenarioStep.topUp() {
        val account = account(long("slot"))
        val amount =
            when (val target = longIfAny("to")) {
                null -> TopUpAmount.Exactly(long("amount"))
                else -> TopUpAmount.ToBalance(target)
            }
        val source = if (textIfAny("from") == "wallet") TopUpSource.Wallet else TopUpSource.WalletThenCard
        remember(card.operations().planTopUp(account.id, amount, source))
    }

    private suspend fun ScenarioStep.recharge() = remember(card.operations().planRecharge(long("amount"), card = null))

    private suspend fun ScenarioStep.withdraw() {
        val plan = card.operations().planWithdrawal(longIfAny("amount"), card = null)
        remember(plan)
    }

    private suspend fun ScenarioStep.remember(plan: Plan) {
        plans[text("as")] = plan
        confirm(plan)
    }

    private suspend fun ScenarioStep.confirm(plan: Plan) {
        val operation = card.operations().confirm(plan, StepUp.Password(bytes("password")))
        assertEquals(phase(this), operation.phase)
    }

    private suspend fun wallet(step: ScenarioStep) {
        val known = card.wallet().get()
        assertEquals(step.long("balance"), known.balance?.amount)
    }

    private fun plan(step: ScenarioStep) = checkNotNull(plans[step.text("operation")]) { "no operation of that name" }

    private fun phase(step: ScenarioStep) = Phase.valueOf(step.text("phase").uppercase())

    private companion object {
        const val PAGE = 100u
        val ENDS = setOf(Phase.CREDITED, Phase.REFUNDED, Phase.REFUSED)
    }
}
