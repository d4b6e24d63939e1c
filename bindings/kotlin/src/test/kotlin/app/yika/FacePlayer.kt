package app.yika

import app.yika.testing.FaceOffice
import java.nio.file.Path
import kotlin.io.path.readBytes
import kotlin.test.assertEquals

/** Plays the steps of scenarios that are about face photos. */
internal class FacePlayer(
    private val card: CampusCard,
    private val office: () -> FaceOffice,
) {
    /** Whether the step was one of these. */
    suspend fun play(step: ScenarioStep): Boolean {
        when (step.name) {
            "photo" -> step.mayFail { photo() }
            "agree" -> step.mayFail { card.face().agree(long("version").toUInt()) }
            "send_photo" -> step.mayFail { send() }
            "face_office" -> tellOffice(step)
            "face" -> stands(step)
            "withdraw_photo" -> step.mayFail { card.face().withdraw() }
            "deletion" -> deletion(step)
            else -> return false
        }
        return true
    }

    private suspend fun ScenarioStep.photo() {
        val report = judge()
        assertEquals(textIfAny("advice"), report.advice.firstOrNull()?.let(::code))
        assertEquals(240u to 320u, checkNotNull(report.portrait).let { it.width to it.height })
    }

    private suspend fun ScenarioStep.judge() =
        card.face().check(Path.of("../../tests/fixtures").resolve(text("file")).readBytes())

    private suspend fun ScenarioStep.send() {
        val report = judge()
        val replaces = isSet("replaces")
        val phase = textIfAny("phase")
        val record = card.face().upload(checkNotNull(report.portrait), report.advice, replaces)
        assertEquals(phase, record.upload?.phase?.let(::code))
    }

    private fun tellOffice(step: ScenarioStep) =
        when (val does = step.text("does")) {
            "nothing" -> office().sendClerkAway()
            "accept" -> office().decide(null)
            "refuse" -> office().decide(step.text("reason"))
            else -> error("an office doesn't $does")
        }

    private suspend fun stands(step: ScenarioStep) {
        val record = card.face().refresh()
        assertEquals(step.textIfAny("phase"), record.upload?.phase?.let(::code))
        assertEquals(
            step.textIfAny("refusal"),
            record.upload
                ?.refusal
                ?.reason
                ?.let(::code),
        )
        assertEquals(step.boolean("on_file"), record.isOnFile)
        assertEquals(step.boolean("agreed"), record.consent != null)
    }

    private suspend fun deletion(step: ScenarioStep) {
        val deletion = checkNotNull(card.face().refresh().deletion) { "nothing was deleted" }
        assertEquals(step.boolean("done"), deletion.deletedAt != null)
        assertEquals(step.long("terminals_left"), deletion.terminalsLeft.toLong())
    }

    private fun code(value: Enum<*>) = value.name.lowercase()
}
