package app.yika

import app.yika.testing.Phone
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import javax.imageio.ImageIO
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull

/** A camera as an app has one: frames go in, calm advice and in the end a portrait come out. */
class FaceTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `the picture is taken once all has been well, and nobody gets none`() =
        runBlocking<Unit> {
            Phone(folder).open().use { card ->
                val face = portrait()
                val camera = card.face().camera()
                val grey = face.copy(pixels = CameraPixels.Rgba(plane(ByteArray(SIDE * SIDE * 4) { 127 })))
                assertEquals(FaceAdvice.NO_FACE, camera.look(grey, 0).advice)
                val reports = (1L..20L).map { camera.look(face, it * 100) }
                val taken = assertNotNull(reports.firstOrNull { it.portrait != null })
                assertEquals(100.toUByte(), taken.holdPercent)
                assertNull(taken.advice)
                val short = face.copy(height = face.height + 1u)
                assertFailsWith<YikaException.Photo> { camera.look(short, 3_000) }
            }
        }

    private fun portrait(): CameraFrame {
        val image = ImageIO.read(Path.of("../../tests/fixtures/face/angus-king.png").toFile())
        val bytes = ByteArray(SIDE * SIDE * 4)
        for (at in 0 until SIDE * SIDE) {
            val colour = image.getRGB(at % SIDE, at / SIDE)
            listOf(16, 8, 0).forEachIndexed { byte, shift -> bytes[4 * at + byte] = (colour shr shift).toByte() }
        }
        return CameraFrame(SIDE.toUInt(), SIDE.toUInt(), 0u, CameraPixels.Rgba(plane(bytes)))
    }

    private fun plane(bytes: ByteArray) = CameraPlane(bytes, (4 * SIDE).toUInt(), 4u)

    private companion object {
        /** Of the portrait in the fixtures. */
        const val SIDE = 320
    }
}
