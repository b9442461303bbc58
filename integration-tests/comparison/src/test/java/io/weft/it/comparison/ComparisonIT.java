package io.weft.it.comparison;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.Jdks;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A short run of {@code integration-tests/bin/compare-with-envoy}. */
class ComparisonIT {
    private static Comparison comparison;

    @BeforeAll
    static void start() {
        EnvoyBinary binary = EnvoyBinary.find();
        assumeTrue(binary.isPresent(), "no Envoy: " + binary.reason());
        comparison = new Comparison(binary, Jdks.newest());
    }

    @AfterAll
    static void stop() {
        if (comparison != null) {
            comparison.close();
        }
    }

    @Test
    void casesThatAreAlwaysTheSame() {
        assertNoDifference(1, 1000);
    }

    @Test
    void casesThatNobodyHasSeen() {
        long seed = ThreadLocalRandom.current().nextInt(1_000_000_000);
        System.out.println("compare-with-envoy --cases 200 --seed " + seed);
        assertNoDifference(seed, 200);
    }

    private static void assertNoDifference(long seed, int cases) {
        Run.Result result = new Run(comparison, new Areas(Areas.steady(comparison.clusters(), comparison.accessLogs())), true, System.out::println).run(seed, cases);
        assertThat(result.differences())
                .as(() -> result.told().stream().map(Report::of).collect(Collectors.joining("\n")))
                .isZero();
    }
}
