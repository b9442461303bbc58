package io.weft.dataplane.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.dataplane.jwt.JsonReader.JsonException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {

    @Test
    void readsEveryKindOfValue() throws JsonException {
        assertThat(JsonReader.object(" {\"a\" : \"x\\n\\u00e9\\\"\\/\", \"b\":[1, -2.5e2 ,true,false,null, {} , []],\"c\":{\"d\":0}} "))
                .isEqualTo(Map.of(
                        "a", "x\n\u00e9\"/",
                        "b", List.of(1.0, -250.0, true, false, JsonReader.NULL, Map.of(), List.of()),
                        "c", Map.of("d", 0.0)));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", " ", "[]", "1", "\"a\"", "{", "{}x", "{} {}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{\"a\":01}",
        "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":tru}", "{\"a\":NaN}", "{\"a\":[1,]}", "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}", "{\"a\":\"\n\"}", "{\"a\":1,\"a\":2}", "{\"a\":null,\"a\":2}", "{\"a\":1}\u0000", "{\"a\" 1}", "{\"a\":\"x}"
    })
    void whatIsNoJsonIsRefused(String text) {
        assertThatThrownBy(() -> JsonReader.object(text)).isInstanceOf(JsonException.class);
    }

    @Test
    void nestingIsBounded() {
        assertThatThrownBy(() -> JsonReader.object("{\"a\":" + "[".repeat(100_000))).isInstanceOf(JsonException.class);
        assertThatThrownBy(() -> JsonReader.object("{\"a\":".repeat(100_000))).isInstanceOf(JsonException.class);
    }

    @Test
    void anyTextIsReadOrRefused() {
        Random random = new Random(13);
        String parts = "{}[]\",:\\u0019eE+-.tfn a";
        int read = 0;
        for (int i = 0; i < 100_000; i++) {
            StringBuilder text = new StringBuilder("{");
            for (int c = random.nextInt(12); c > 0; c--) {
                text.append(parts.charAt(random.nextInt(parts.length())));
            }
            try {
                JsonReader.object(text.append('}').toString());
                read++;
            } catch (JsonException refused) {
                assertThat(refused).hasMessageStartingWith("not JSON at character");
            }
        }
        assertThat(read).isPositive();
    }
}
