package io.weft.controlplane.policy;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Kuma's {@code MeshFaultInjection}: each fault is drawn by itself. */
public record MeshFaultInjection(List<Fault> faults) {

    public MeshFaultInjection {
        faults = List.copyOf(faults);
    }

    public record Fault(Optional<Abort> abort, Optional<Delay> delay, Optional<Bandwidth> bandwidth) {}

    /** @param percentage 0 to 100 */
    public record Abort(int status, BigDecimal percentage) {}

    /** @param percentage 0 to 100 */
    public record Delay(Duration value, BigDecimal percentage) {}

    /** @param percentage 0 to 100 */
    public record Bandwidth(long kilobitsPerSecond, BigDecimal percentage) {}
}
