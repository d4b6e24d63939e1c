package app.yika.testing

import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers

/** The sandbox's office for face photos; its clerk stays away, so the scenario decides. */
class FaceOffice(
    private val sandbox: URI,
) {
    private val http = HttpClient.newHttpClient()

    /** The clerk does nothing from now on. */
    fun sendClerkAway() {
        send(request("clerk").PUT(BodyPublishers.ofString("""{"does":"away"}""")))
    }

    /** Takes the only portrait that waits on file, or refuses it for this reason. */
    fun decide(refusal: String?) {
        val reviews = checkNotNull(json(send(request("").GET()))["reviews"]).jsonArray
        val id = reviews.single().jsonObject.text("id")
        when (refusal) {
            null -> send(request("$id/accept").POST(BodyPublishers.noBody()))
            else -> send(request("$id/refuse").POST(BodyPublishers.ofString("""{"reason":"$refusal"}""")))
        }
    }

    private fun request(path: String) =
        HttpRequest
            .newBuilder(sandbox.resolve("/sandbox/admin/faces/$path".trimEnd('/')))
            .header("content-type", "application/json")

    private fun send(request: HttpRequest.Builder): String {
        val response = http.send(request.build(), BodyHandlers.ofString())
        check(response.statusCode() / HUNDRED == 2) { "the sandbox answered ${response.statusCode()}" }
        return response.body()
    }

    private companion object {
        const val HUNDRED = 100
    }
}
