package app.yika

import app.yika.testing.Campus
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Plays the steps of scenarios that are about what is lost and found. */
internal class LostPlayer(
    private val card: CampusCard,
    private val campus: Campus,
) {
    /** Whether the step was one of these. */
    suspend fun play(step: ScenarioStep): Boolean {
        when (step.name) {
            "report_lost" -> {
                step.mayFail { card.security().report(item()) }
            }

            "report_found" -> {
                step.mayFail { card.security().found(item(), stepUp()) }
            }

            "lost" -> {
                stands(step)
            }

            "frozen" -> {
                assertEquals(
                    step.textIfAny("by"),
                    card
                        .security()
                        .status()
                        .frozen
                        ?.let(::code),
                )
            }

            "office" -> {
                campus.office(step.text("student"), step.text("does"))
            }

            else -> {
                return false
            }
        }
        return true
    }

    private fun ScenarioStep.item() =
        when (val item = text("item")) {
            "card" -> LostItem.Card
            "phone" -> LostItem.ThisPhone
            "all" -> LostItem.All
            else -> error("nobody loses $item")
        }

    private fun ScenarioStep.stepUp(): StepUp? =
        when {
            isSet("approve") -> {
                StepUp.Approval
            }

            else -> {
                textIfAny("sign_in")?.let { StepUp.SignIn(campus.idToken(it, signIn = true)) }
                    ?: textIfAny("password")?.let { StepUp.Password(it.toByteArray()) }
            }
        }

    private suspend fun stands(step: ScenarioStep) {
        val item = step.item()
        val state =
            card
                .security()
                .status()
                .rows
                .single { it.item == item }
                .state
        val expected = step.text("state")
        val by = step.textIfAny("by")
        when (state) {
            LostState.Active -> {
                assertEquals("active" to null, expected to by)
            }

            is LostState.Sending -> {
                assertEquals("sending" to null, expected to by)
            }

            is LostState.Lost -> {
                assertEquals("lost" to code(state.by), expected to by)
                assertTrue(state.onlineFrom <= state.offlineBy)
                assertTrue(state.offlineBy <= state.offlineIdentityBy)
            }
        }
    }

    private fun code(value: Enum<*>) = value.name.lowercase()
}
