package app.yika

import app.yika.testing.Bank
import kotlin.test.assertEquals

/** Plays the steps of scenarios that are about the wallet and money that moves. */
internal class MoneyPlayer(
    private val card: CampusCard,
    private val bank: () -> Bank,
) {
    /** Plans by the name that the scenario gave them. */
    private val plans = mutableMapOf<String, Plan>()

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
            else -> return false
        }
        return true
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
        val slot = long("slot").toUByte()
        val account = card.accounts().list().single { it.slot == slot }
        val amount =
            when (val target = longIfAny("to")) {
                null -> TopUpAmount.Exactly(long("amount"))
                else -> TopUpAmount.ToBalance(target)
            }
        val source = if (textIfAny("from") == "wallet") TopUpSource.Wallet else TopUpSource.WalletThenCard
        remember(card.operations().planTopUp(account.id, amount, source))
    }

    private suspend fun ScenarioStep.recharge() = remember(card.operations().planRecharge(long("amount"), card = null))

    private suspend fun ScenarioStep.withdraw() = remember(card.operations().planWithdrawal(longIfAny("amount"), card = null))

    private suspend fun ScenarioStep.remember(plan: Plan) {
        plans[text("as")] = plan
        confirm(plan)
    }

    private suspend fun ScenarioStep.confirm(plan: Plan) {
        val operation = card.operations().confirm(plan, bytes("password"))
        assertEquals(phase(this), operation.phase)
    }

    private suspend fun wallet(step: ScenarioStep) {
        val known = card.wallet().get()
        assertEquals(step.long("balance"), known.balance?.amount)
    }

    private fun plan(step: ScenarioStep) = checkNotNull(plans[step.text("operation")]) { "no operation of that name" }

    private fun phase(step: ScenarioStep) = Phase.valueOf(step.text("phase").uppercase())
}
