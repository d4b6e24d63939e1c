package app.yika.testing

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** Reads a JSON object. */
fun json(text: String): JsonObject = Json.parseToJsonElement(text).jsonObject

/** A field that must be there. */
fun JsonObject.field(name: String): JsonPrimitive =
    checkNotNull(get(name)) { "there is no \"$name\" in $this" }.jsonPrimitive

/** A text that must be there. */
fun JsonObject.text(name: String): String = field(name).content
