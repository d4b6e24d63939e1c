package app.yika

import app.yika.testing.field
import app.yika.testing.text
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.long
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** One step of a scenario; every field that it has must be asked for. */
internal class ScenarioStep(
    private val fields: JsonObject,
) {
    private val asked = mutableSetOf("step")

    val name get() = fields.text("step")

    fun text(field: String) = fields.also { asked += field }.text(field)

    fun textIfAny(field: String) = if (field in fields) text(field) else null

    fun bytes(field: String) = text(field).toByteArray()

    fun long(field: String) = fields.also { asked += field }.field(field).long

    fun longIfAny(field: String) = if (field in fields) long(field) else null

    fun isSet(field: String) = field in fields && boolean(field)

    fun boolean(field: String) = fields.also { asked += field }.field(field).boolean

    fun finish() = assertEquals(fields.keys, asked, "the fields of $fields")

    /** Does it, expecting the error that the step names. */
    suspend fun mayFail(action: suspend ScenarioStep.() -> Unit) {
        when (val code = textIfAny("error")) {
            null -> action()
            else -> assertEquals(code, assertFailsWith<YikaException> { action() }.code())
        }
    }
}
