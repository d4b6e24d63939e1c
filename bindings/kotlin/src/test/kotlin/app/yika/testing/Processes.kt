package app.yika.testing

import java.net.URI
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentLinkedDeque
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/**
 * The campus side of a test: the real `yika-sandbox` and `yika-terminal`, from the directory that the system property
 * `yika.binary.dir` names. Closing it ends every process it started.
 */
class Processes : AutoCloseable {
    private val binaries: Path =
        Path.of(checkNotNull(System.getProperty("yika.binary.dir")) { "run this through `cargo xtask test kotlin`" })
    private val started = ConcurrentLinkedDeque<Process>()

    /** What a program that ran to its end left behind. */
    data class Outcome(
        val exitCode: Int,
        val stdout: String,
    )

    /** Starts a sandbox on [port], or a free one, with its database in [data]; returns its address once it listens. */
    fun startSandbox(
        data: Path,
        port: Int = 0,
    ): URI {
        val process = start("yika-sandbox", "--listen", "127.0.0.1:$port", "--data", data.toString())
        val address = CompletableFuture<URI>()
        // Reads to the end, past the line we want: a full pipe would stop the sandbox.
        thread(isDaemon = true, name = "yika-sandbox stdout") {
            process.inputStream.bufferedReader().useLines { lines ->
                lines
                    .filter { it.startsWith(LISTENING) }
                    .forEach { address.complete(URI(it.removePrefix(LISTENING).trim())) }
            }
            address.completeExceptionally(IllegalStateException("yika-sandbox ended before it listened"))
        }
        return address.get(START_LIMIT_SECONDS, TimeUnit.SECONDS)
    }

    /** Runs `yika-terminal --home` [home] with [arguments] to its end. Exit code 0 is approved, 1 refused, 2 usage. */
    fun terminal(
        home: Path,
        vararg arguments: String,
    ): Outcome {
        val process = start("yika-terminal", "--home", home.toString(), *arguments)
        val stdout = process.inputStream.bufferedReader().readText()
        return Outcome(process.waitFor(), stdout)
    }

    override fun close() {
        started.forEach(Process::destroy)
        started.filterNot { it.waitFor(STOP_LIMIT_SECONDS, TimeUnit.SECONDS) }.forEach(Process::destroyForcibly)
        started.clear()
    }

    private fun start(
        program: String,
        vararg arguments: String,
    ): Process {
        val process =
            ProcessBuilder(binaries.resolve(program).toString(), *arguments)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
        started.add(process)
        process.outputStream.close()
        return process
    }

    private companion object {
        const val LISTENING = "listening on "
        const val START_LIMIT_SECONDS = 30L
        const val STOP_LIMIT_SECONDS = 10L
    }
}
