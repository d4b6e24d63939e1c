package app.yika.testing

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Path

/**
 * A campus in a folder: the real sandbox, which a test stops and starts again on the same address and data, and real
 * terminals enrolled at it.
 */
class Campus(
    private val folder: Path,
) : AutoCloseable {
    private val processes = Processes()

    /** The platform's address. */
    val url: URI = processes.startSandbox(data)

    private val data: Path get() = folder.resolve("campus")

    /** Stops the platform's process: to phone and terminals the network is down. */
    fun stop() = processes.close()

    /** Starts it again where it was. */
    fun start() {
        processes.startSandbox(data, url.port)
    }

    /** The ID token that the host app has for its signed-in student, who may sign in anew for it. */
    fun idToken(
        student: String,
        signIn: Boolean = false,
    ): String {
        val body = """{"student":"$student","sign_in":$signIn}"""
        val request =
            HttpRequest
                .newBuilder(url.resolve("/sandbox/host/token"))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build()
        val response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString())
        check(response.statusCode() == HTTP_OK) { "the sandbox host answered ${response.statusCode()}" }
        return json(response.body()).text("id_token")
    }

    /** What the card office does to all of a student's card: `suspend`, `undo`. */
    fun office(
        student: String,
        does: String,
    ) {
        val request =
            HttpRequest
                .newBuilder(url.resolve("/sandbox/admin/students/$student/$does"))
                .POST(HttpRequest.BodyPublishers.noBody())
                .build()
        val response = HttpClient.newHttpClient().send(request, BodyHandlers.discarding())
        check(response.statusCode() == HTTP_NO_CONTENT) { "the office answered ${response.statusCode()}" }
    }

    /** Enrols a terminal of a kind (`pos`, `gate`, `library`), which then has today's lists. */
    fun terminal(
        name: String,
        kind: String,
    ): Terminal {
        val terminal = Terminal(processes, folder.resolve(name))
        terminal.enroll(url, kind)
        return terminal
    }

    override fun close() = processes.close()

    private companion object {
        const val HTTP_OK = 200
        const val HTTP_NO_CONTENT = 204
    }
}
