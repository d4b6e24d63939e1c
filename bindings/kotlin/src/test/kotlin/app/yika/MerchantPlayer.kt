package app.yika

import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull

/** Plays the steps of scenarios that are about the stalls at which the holder works. */
internal class MerchantPlayer(
    private val card: CampusCard,
) {
    private val today = StallDays()

    /** Whether the step was one of these. */
    suspend fun play(step: ScenarioStep): Boolean {
        when (step.name) {
            "stalls" -> step.mayFail { stalls() }
            "income" -> step.mayFail { income() }
            "known_income" -> knownIncome(step)
            "refund_sale" -> step.mayFail { giveBack { stall, sale -> refund(stall, sale, long("amount"), null) } }
            "void_sale" -> step.mayFail { giveBack { stall, sale -> voidSale(stall, sale, null) } }
            else -> return false
        }
        return true
    }

    private suspend fun ScenarioStep.stalls() {
        val stalls = card.merchant().stalls().stalls
        assertEquals(long("count"), stalls.size.toLong())
        textIfAny("role")?.let { role -> assertEquals(role, code(stalls.first().role)) }
    }

    private suspend fun ScenarioStep.income() {
        val expected = longIfAny("amount")
        val income = card.merchant().income(stall(), today)
        assertEquals(expected, income.total.income)
        // Those of today, kept for when there is no network.
        card.merchant().payments(stall(), today, null)
    }

    private suspend fun knownIncome(step: ScenarioStep) {
        val income = card.merchant().knownIncome(stall(), today)
        assertEquals(step.long("amount"), assertNotNull(income).total.income)
    }

    /** Gives the newest sale back; with `waits`, that waits for a network. */
    private suspend fun ScenarioStep.giveBack(how: suspend MerchantService.(StallId, Uuid) -> StallPayment?) {
        val waits = isSet("waits")
        val page = assertNotNull(card.merchant().knownPayments(stall(), today))
        val sale = page.payments.first { it.refundOf == null }
        val told = card.merchant().how(stall(), sale.id)
        assertEquals(waits, card.merchant().waiting().isNotEmpty())
        if (waits) assertNull(told) else assertNotNull(told)
    }

    private suspend fun stall() = assertNotNull(card.merchant().knownStalls()).stalls.first().id

    private fun code(value: Enum<*>) = value.name.lowercase()
}
