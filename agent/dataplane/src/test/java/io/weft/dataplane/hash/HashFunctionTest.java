package io.weft.dataplane.hash;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Vectors of the algorithms' own references. */
class HashFunctionTest {

    @ParameterizedTest
    @CsvSource({
        "'', ef46db3751d8e999",
        "a, d24ec4f1a98c6e5b",
        "abc, 44bc2cf5ad770999",
        "foo, 33bf00a859c4ba3f",
        "bar, 48a37c90ad27a659",
        "Nobody inspects the spammish repetition, fbcea83c8a378bf1"
    })
    void xxHash(String text, String expected) {
        assertThat(Long.toHexString(XxHash64.hash(text))).isEqualTo(expected);
        assertThat(Long.toHexString(XxHash64.hash(text.getBytes(StandardCharsets.UTF_8), 0))).isEqualTo(expected);
    }

    @Test
    void aPartOfATextHashesAsItsOctets() {
        SplittableRandom random = new SplittableRandom(1);
        for (int length = 0; length < 200; length++) {
            byte[] octets = new byte[length];
            random.nextBytes(octets);
            String text = new String(octets, StandardCharsets.ISO_8859_1);
            assertThat(XxHash64.hash("<" + text + ">", 1, 1 + length)).isEqualTo(XxHash64.hash(octets, 0));
        }
    }

    @Test
    void whatNoHeaderCarriesHashesAsUtf8() {
        assertThat(XxHash64.hash("ключ")).isEqualTo(XxHash64.hash("ключ".getBytes(StandardCharsets.UTF_8), 0));
    }

    @Test
    void aSeedGivesAnotherHash() {
        byte[] octets = "10.0.0.1:80".getBytes(StandardCharsets.US_ASCII);
        assertThat(XxHash64.hash(octets, 1)).isNotEqualTo(XxHash64.hash(octets, 0));
    }

    /** As {@code std::hash<std::string>} of libstdc++ on 64 bits. */
    @ParameterizedTest
    @CsvSource({"foo, 9631199822919835226", "bar, 11474628671133349555"})
    void murmurHash(String text, String expected) {
        assertThat(Long.toUnsignedString(MurmurHash2.hash(text.getBytes(StandardCharsets.US_ASCII)))).isEqualTo(expected);
    }

    /** What the standard asks of {@code std::mt19937} with its default seed. */
    @Test
    void mersenneTwister() {
        MersenneTwister random = new MersenneTwister(5489);
        int bits = 0;
        for (int i = 0; i < 10_000; i++) {
            bits = random.bits();
        }
        assertThat(Integer.toUnsignedString(bits)).isEqualTo("4123659995");
    }
}
