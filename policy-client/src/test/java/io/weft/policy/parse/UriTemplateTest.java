package io.weft.policy.parse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UriTemplateTest {

    private static UriTemplate template(String template) {
        return new UriTemplate(Field.root(new ArrayList<>()), template);
    }

    @ParameterizedTest
    @CsvSource({
        "/,                       /,                    true",
        "/,                       /a,                   false",
        "/a.b,                    /a.b,                 true",
        "/a.b,                    /axb,                 false",
        "/api/*/x,                /api/one/x,           true",
        "/api/*/x,                /api/one/two/x,       false",
        "/api/*/x,                /api//x,              false",
        "/api/**,                 /api/,                true",
        "/api/**,                 /api/a/b.c,           true",
        "/api/**,                 /api,                 false",
        "/api/*/,                 /api/a/,              true",
        "/api/*/,                 /api/a,               false",
        "/{country}/{lang=**},    /de/a/b,              true",
        "/{country}/{lang=**},    /v=1/a;x=2/b,         true",
        "/v/*.m3u8,               /v/one.m3u8,          true",
        "/v/*.m3u8,               /v/one.mp4,           false",
        "/{a=x/*/y}/z,            /x/1/y/z,             true",
        "/{a=x/*/y}/z,            /x/1/2/y/z,           false",
        "/a$(b)+c,                /a$(b)+c,             true",
    })
    void matchesAsEnvoyDoes(String template, String path, boolean matches) {
        assertThat(Pattern.matches(template(template).regex(), path)).isEqualTo(matches);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "a", "/a//b", "/{}", "/{1a}", "/{a", "/{a}/{a}", "/{a=}", "/{a=x/}", "/{a=x**}", "/**/*", "/**/{a}", "/{a=**}/{b}",
        "/a b", "/a=b", "/x*", "/*x/y", "/{abcdefghijklmnopq}", "/{a}/{b}/{c}/{d}/{e}/{f}", "/a{b}"
    })
    void whatEnvoyRefusesIsRefused(String template) {
        assertThatThrownBy(() -> template(template)).isInstanceOf(Refusal.class);
    }

    @Test
    void variablesMoveToTheNewPath() {
        UriTemplate template = template("/{country}/{rest=**}");
        String substitution = template.substitution(Field.root(new ArrayList<>()), "/x/{rest}/{country}");

        Matcher matcher = Pattern.compile(template.regex()).matcher("/de/a/b");
        assertThat(matcher.matches()).isTrue();
        assertThat(substitution).isEqualTo("/x/\\2/\\1");
        assertThat(matcher.group(2) + " " + matcher.group(1)).isEqualTo("a/b de");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "/a//b", "/{other}", "/{country", "/a?b", "/a*"})
    void rewritesThatEnvoyRefusesAreRefused(String rewrite) {
        UriTemplate template = template("/{country}");
        assertThatThrownBy(() -> template.substitution(Field.root(new ArrayList<>()), rewrite)).isInstanceOf(Refusal.class);
    }
}
