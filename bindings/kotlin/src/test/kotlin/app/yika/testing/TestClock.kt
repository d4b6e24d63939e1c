package app.yika.testing

import app.yika.ClockSample
import app.yika.DeviceClock
import app.yika.DeviceClockException
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/** The JVM's clocks, with a wall clock that a test can set wrong. */
class TestClock : DeviceClock {
    private val created = System.nanoTime()

    /** How far the wall clock is ahead. */
    @Volatile var wallError = Duration.ZERO

    /** Whether the clocks answer at all. */
    @Volatile var works = true

    private val bootName = UUID.randomUUID().toString()

    override fun sample(): ClockSample {
        if (!works) throw DeviceClockException.Unavailable()
        return ClockSample(
            wall = System.currentTimeMillis() + wallError.inWholeMilliseconds,
            monotonicMs = (System.nanoTime() - created).nanoseconds.inWholeMilliseconds.toULong(),
            bootName = bootName,
        )
    }
}
