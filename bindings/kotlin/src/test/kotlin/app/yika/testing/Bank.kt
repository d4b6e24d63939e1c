package app.yika.testing

import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers

/** The sandbox's bank, from behind the counter. */
class Bank(
    private val sandbox: URI,
) {
    private val http = HttpClient.newHttpClient()

    /** What goes wrong with every order from now on; nothing if null. */
    fun plan(fault: String?) {
        val named = fault?.let { "\"$it\"" }
        send(request("/sandbox/admin/bank/fault").PUT(BodyPublishers.ofString("""{"fault":$named}""")))
    }

    /** Decides orders that were put off, takes back what is to be taken back, and tells the platform. */
    fun settle() {
        send(request("/sandbox/admin/bank/settle").POST(BodyPublishers.noBody()))
    }

    /** Has the platform do what is due, as it does by itself a little later. */
    fun drive() {
        send(request("/sandbox/admin/operations/drive").POST(BodyPublishers.noBody()))
    }

    /** The code that was sent last to somebody's phone. */
    fun lastCode(): String {
        val answer = json(send(request("/sandbox/admin/bank/messages").GET()))
        val messages = checkNotNull(answer["messages"]).jsonArray
        return messages.last().jsonObject.text("code")
    }

    private fun request(path: String) =
        HttpRequest.newBuilder(sandbox.resolve(path)).header("content-type", "application/json")

    private fun send(request: HttpRequest.Builder): String {
        val response = http.send(request.build(), BodyHandlers.ofString())
        check(response.statusCode() / HUNDRED == 2) { "the sandbox answered ${response.statusCode()}" }
        return response.body()
    }

    private companion object {
        const val HUNDRED = 100
    }
}
