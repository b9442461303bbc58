package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.parse;
import static io.weft.policy.parse.Samples.regex;
import static io.weft.policy.parse.Samples.withMatch;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexSizeTest {

    @ParameterizedTest
    @CsvSource(delimiter = ' ', value = {
        "abc 3", "a{5} 5", "a{2,7} 7", "a{3,} 3", "ab{10}c 12", "(ab){3} 12", "[0-9a-f]{8} 8", "[]{9}]{2} 2", "[^][:alpha:]]{3} 3", "[a\\]]{2} 2", "[{9} 1", "\\{5} 4",
        "\\x{41}{4} 24", "\\Q{9}\\E 7", "a{x} 4", "(a{10}){10} 120", ") 1"
    })
    void countsWhatRepetitionsUnrollTo(String regex, long size) {
        assertThat(RegexSize.of(regex)).isEqualTo(size);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "((a{1000}){1000}){1000}", "(((a{100}){100}){100}){100}", "(a{1000}b){1000}", "(?:x{999}){999}",
        "((((((((a{1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000}"
    })
    void whatWouldFillTheHeapIsRefusedBeforeItIsCompiled(String regex) {
        assertThat(parse(withMatch(m -> m.setSafeRegex(regex(regex))))).isInstanceOfSatisfying(Refused.class, refused -> {
            assertThat(refused.path()).isEqualTo("virtual_hosts[0].routes[0].match.safe_regex.regex");
            assertThat(refused.reason()).contains("repeats too much");
        });
    }

    @Test
    void groupsNestedTooDeepAreRefusedAndLongClassesAreNot() {
        assertThat(parse(withMatch(m -> m.setSafeRegex(regex("(".repeat(50_000) + "a" + ")".repeat(50_000))))))
                .isInstanceOf(Refused.class);
        assertThat(parse(withMatch(m -> m.setSafeRegex(regex("(".repeat(400) + "a" + ")".repeat(400))))))
                .isInstanceOf(Accepted.class);
        assertThat(parse(withMatch(m -> m.setSafeRegex(regex("[" + "ab".repeat(50_000) + "]")))))
                .isInstanceOf(Accepted.class);
    }

    @Test
    void whatPeopleWriteIsAccepted() {
        String uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
        assertThat(parse(withMatch(m -> m.setSafeRegex(regex("/users/" + uuid + "/orders/" + uuid + "(/.*)?")))))
                .isInstanceOf(Accepted.class);
    }

    @Test
    @Timeout(60)
    void anyTextHasASize() {
        String alphabet = "ab(){}[]\\,0123456789*+?|^$.:-QEx";
        Random random = new Random(42);
        for (int i = 0; i < 20_000; i++) {
            String regex = random.ints(random.nextInt(40), 0, alphabet.length())
                    .collect(StringBuilder::new, (text, at) -> text.append(alphabet.charAt(at)), StringBuilder::append)
                    .toString();
            assertThat(RegexSize.of(regex)).as(regex).isNotNegative();
        }
    }
}
