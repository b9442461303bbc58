package io.weft.dataplane.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.PathNormalization;
import io.weft.policy.model.PathNormalization.EscapedSlashes;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathNormalizerTest {
    private static final PathNormalizer NONE = new PathNormalizer(PathNormalization.NONE);
    private static final PathNormalizer RFC_3986 = new PathNormalizer(new PathNormalization(true, false, EscapedSlashes.KEEP));
    private static final PathNormalizer ALL =
            new PathNormalizer(new PathNormalization(true, true, EscapedSlashes.UNESCAPE_AND_FORWARD));

    @ParameterizedTest
    @CsvSource({
        "/a/b?c=../d, /a/b?c=../d",
        "/a/./b, /a/b",
        "/a/../b, /b",
        "/a/.., /",
        "/a/., /a/",
        "/.., /",
        "/../../a, /a",
        "/a/..b, /a/..b",
        "/a/.b/c.d, /a/.b/c.d",
        "/a/%2e%2E/b, /b",
        "/a/%2e/b, /a/b",
        "/a/.%2e/b, /b",
        "/a/%2e%2eb, /a/..b",
        "/a\\b\\..\\c, /a/c",
        "//a, //a",
        "/a//../b, /a/b",
        "/a%2fb, /a%2fb",
        "/a%5cb, /a%5cb",
        "/%61dmin, /admin",
        "/%7E%5f%2D%39, /~_-9",
        "/a%20b%3F, /a%20b%3F",
        "/a b, /a%20b",
        "/\u00fc, /%FC",
        "/a|b^c`{}<>\", /a%7Cb%5Ec%60%7B%7D%3C%3E%22",
        "/a%, /a%",
        "/a%zz, /a%zz",
        "/%%30%30, /%2500",
        "/%%300, /%2500",
        "a, /a",
        "?a, /?a",
        "/public/..;/admin, /admin",
        "/public/..;x=y/admin, /admin",
        "/a/.;x/b, /a/b",
        "/public/%2e%2e;/admin, /admin",
        "/a/..;, /",
        "/a/..;x\\b, /b",
        "/a;..;b/c, /a;..;b/c",
    })
    void resolvesAPathAsEnvoyDoes(String target, String normalized) {
        assertThat(RFC_3986.normalize(target, false).target()).isEqualTo(normalized);
    }

    @ParameterizedTest
    @CsvSource({"//a, /a", "/a//b///c, /a/b/c", "/a//, /a/", "/a//?b//c, /a/?b//c", "/, /", "//, //"})
    void mergesSlashes(String target, String merged) {
        PathNormalizer merging = new PathNormalizer(new PathNormalization(false, true, EscapedSlashes.KEEP));

        assertThat(merging.normalize(target, false).target()).isEqualTo(merged);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "/admin/keys", "//admin/keys", "/admin%2fkeys", "/admin%5Ckeys", "/x/../admin/keys", "/x%2f..%2fadmin/keys",
        "/x/..%2F/admin//keys", "/%61dmin/keys", "/x/%2e%2e/admin/keys", "/x/..;/admin/keys", "\\admin\\keys", "/admin/./keys",
        "/./admin/x/..\\keys", "/admin/keys/../keys", "/x%2f..;a=b%2fadmin/keys", "/x/%2e.;/admin/keys",
    })
    void noWayOfWritingItGetsAroundAPath(String target) {
        assertThat(ALL.normalize(target + "?q=1", false).target()).isEqualTo("/admin/keys?q=1");
    }

    @Test
    void withoutNormalizationEverythingIsKeptButAFragment() {
        assertThat(NONE.normalize("//a/../b%2fc", false).target()).isEqualTo("//a/../b%2fc");
        assertThat(NONE.keeps("//a/../b%2fc")).isTrue();
        assertThat(NONE.keeps("/a#b")).isFalse();
        assertThat(NONE.normalize("/a#b", false).reply().status()).isEqualTo(400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a%00b", "/a\u0000b", "/..%00/"})
    void aNulIsRefused(String target) {
        assertThat(RFC_3986.normalize(target, false).reply().status()).isEqualTo(400);
        assertThat(RFC_3986.keeps(target)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a%2Fb", "/a%2fb", "/a%5Cb", "/a%5cb"})
    void escapedSlashesAreKeptRefusedRedirectedOrUnescaped(String target) {
        assertThat(escaped(EscapedSlashes.KEEP).normalize(target, false).target()).isEqualTo(target);
        assertThat(escaped(EscapedSlashes.REJECT).normalize(target, false).reply().status()).isEqualTo(400);
        assertThat(escaped(EscapedSlashes.UNESCAPE_AND_FORWARD).normalize(target + "?x=%2f", false).target())
                .isEqualTo("/a/b?x=%2f");
        assertThat(escaped(EscapedSlashes.UNESCAPE_AND_REDIRECT).normalize(target, true).reply().status()).isEqualTo(400);
        assertThat(escaped(EscapedSlashes.UNESCAPE_AND_REDIRECT).normalize(target + "?x=%2f", false).reply()).satisfies(it -> {
            assertThat(it.status()).isEqualTo(307);
            assertThat(it.headers()).singleElement().satisfies(header -> {
                assertThat(header.getKey()).isEqualTo("location");
                assertThat(header.getValue()).isEqualTo("/a/b?x=%2f");
            });
        });
    }

    private static PathNormalizer escaped(EscapedSlashes action) {
        return new PathNormalizer(new PathNormalization(true, false, action));
    }

    /** Of the characters that matter, in any order. */
    private static String target(Random random) {
        String[] parts = {"/", "//", ".", "..", "%2e", "%2E", "%2f", "%5C", "\\", "a", "%61", "%", "%%3", "0", ";", "..;x", "%25", "\u00e9", " ", "?"};
        StringBuilder target = new StringBuilder("/");
        for (int i = random.nextInt(12); i > 0; i--) {
            target.append(parts[random.nextInt(parts.length)]);
        }
        return target.toString();
    }

    @Test
    void aNormalizedPathIsNormal() {
        Random random = new Random(5);
        for (int i = 0; i < 50_000; i++) {
            String target = target(random);

            String normalized = ALL.normalize(target, false).target();

            if (normalized == null) {
                assertThat(target).contains("%00");
                continue;
            }
            assertThat(ALL.normalize(normalized, false).target()).as(target).isEqualTo(normalized);
            String path = normalized.substring(0, PathTest.end(normalized));
            assertThat(path).as(target).startsWith("/").doesNotContain("/../", "/./", "\\", "%2e", "%2E", "%2f", "%5C", "%61");
            assertThat(path).as(target).doesNotEndWith("/..").doesNotEndWith("/.");
            if (path.chars().anyMatch(c -> c != '/')) {
                assertThat(path).as(target).doesNotContain("//");
            }
        }
    }

    @Test
    void whatIsKeptIsNotChanged() {
        Random random = new Random(7);
        int kept = 0;
        for (int i = 0; i < 50_000; i++) {
            String target = target(random);
            if (ALL.keeps(target)) {
                kept++;
                assertThat(ALL.normalize(target, false).target()).isEqualTo(target);
                assertThat(RFC_3986.normalize(target, false).target()).isEqualTo(target);
            }
        }
        assertThat(kept).isPositive();
    }
}
