package app.yika.testing

import java.net.URI
import java.nio.file.Path

/** A terminal on the command line, with a home of its own. */
class Terminal internal constructor(
    private val processes: Processes,
    private val home: Path,
) {
    internal fun enroll(
        platform: URI,
        kind: String,
    ) {
        succeed("enroll", "--platform", platform.toString(), "--kind", kind)
        sync()
    }

    /** Fetches lists and time. */
    fun sync() = succeed("sync")

    /** Hands in what it took. */
    fun upload() = succeed("upload")

    /** Takes a payment of [yuan]: `approved`, or the reason of the refusal. */
    fun pay(
        yuan: String,
        code: String,
    ): String = verify("pay", "--amount", yuan, code)

    /** Looks at an identity: `approved`, or the reason of the refusal. */
    fun identity(code: String): String = verify("identity", code)

    private fun verify(vararg arguments: String): String {
        val (exitCode, stdout) = processes.terminal(home, "verify", *arguments, "--json")
        return when (exitCode) {
            APPROVED -> json(stdout).text("decision")
            REFUSED -> json(stdout).text("reason")
            else -> error("the terminal ended with $exitCode: $stdout")
        }
    }

    private fun succeed(vararg arguments: String) {
        val (exitCode, stdout) = processes.terminal(home, *arguments)
        check(exitCode == 0) { "${arguments.first()} ended with $exitCode: $stdout" }
    }

    private companion object {
        const val APPROVED = 0
        const val REFUSED = 1
    }
}
