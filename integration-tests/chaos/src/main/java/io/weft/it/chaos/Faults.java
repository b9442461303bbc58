package io.weft.it.chaos;

import java.util.List;
import java.util.stream.Stream;

/** All of them, in the order of the table in {@code docs/reliability.md}. */
final class Faults {
    private static final List<Fault> ALL =
            Stream.of(EndpointFaults.all(), ProcessFaults.all(), ControlPlaneFaults.all(), IdentityFaults.all()).flatMap(List::stream).toList();

    private Faults() {}

    static List<Fault> all() {
        return ALL;
    }

    /** @throws IllegalArgumentException there is none of that name */
    static Fault named(String name) {
        return ALL.stream().filter(fault -> fault.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "no fault " + name + "; there are " + String.join(", ", ALL.stream().map(Fault::name).toList())));
    }
}
