package io.weft.instrumentation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReleasesTest {
    @ParameterizedTest
    @CsvSource({
        "9.4.20 to 12, 9.4.12.v20180830, false",
        "9.4.20 to 12, 9.4.20.v20190813, true",
        "9.4.20 to 12, 10.0.0, true",
        "9.4.20 to 12, 12.1.14, true",
        "9.4.20 to 12, 13.0.0, false",
        "4.1.21 to 4.2, 4.1.15.Final, false",
        "4.1.21 to 4.2, 4.1.140.Final, true",
        "4.1.21 to 4.2, 4.3.0.Final, false",
        "4.0 to 4.10, 4.9.12, true",
        "4.0 to 4.10, 4.11.0, false",
        "5.0 to 5.6, 5, true",
        "1.50 and later, 1.49.2, false",
        "1.50 and later, 2.0.0, true",
        "10.1, 10.1.0-M17, true",
        "10.1, 10.0.27, false",
        "4.1, 4.1.5, true",
        "11, unknown, false"
    })
    void aRangeHasItsFirstAndWhateverBeginsAsItsLast(String range, String version, boolean tested) {
        assertThat(Releases.of(List.of("group:library"), range).areTestedIn(version)).isEqualTo(tested);
    }
}
