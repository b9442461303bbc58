package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.StringValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TableTest {

    private static Versioned resource(String name, String content) {
        return Versioned.of(name, StringValue.of(content));
    }

    @Test
    void whatHasBecomeOfAnotherIsWhatIsNewAndWhatIsGone() {
        Random random = new Random(3);
        Map<String, Versioned> before = new TreeMap<>();
        Table table = Table.EMPTY;
        for (int round = 0; round < 500; round++) {
            Map<String, Versioned> now = new TreeMap<>(before);
            for (int i = random.nextInt(4); i > 0; i--) {
                String name = "name-" + random.nextInt(20);
                if (random.nextInt(3) == 0) {
                    now.remove(name);
                } else {
                    now.put(name, resource(name, "" + random.nextInt(3)));
                }
            }
            List<Versioned> shuffled = new ArrayList<>(now.values());
            Collections.shuffle(shuffled, random);
            Table next = Table.of(shuffled);
            assertThat(next.resources()).containsExactlyElementsOf(now.values());
            for (int i = 0; i < 20; i++) {
                assertThat(next.get("name-" + i)).isSameAs(now.get("name-" + i));
            }
            Map<String, Versioned> made = new TreeMap<>(before);
            Table.Difference difference = next.since(table);
            difference.removed().forEach(name -> assertThat(made.remove(name)).isNotNull());
            difference.changed().forEach(changed -> assertThat(made.put(changed.name(), changed)).satisfiesAnyOf(
                    old -> assertThat(old).isNull(), old -> assertThat(old.version()).isNotEqualTo(changed.version())));
            assertThat(versions(made)).isEqualTo(versions(now));
            assertThat(next.version().equals(table.version())).isEqualTo(versions(now).equals(versions(before)));
            before = now;
            table = next;
        }
    }

    private static Map<String, String> versions(Map<String, Versioned> resources) {
        Map<String, String> versions = new TreeMap<>();
        resources.forEach((name, resource) -> versions.put(name, resource.version()));
        return versions;
    }

    @Test
    void itsVersionHangsOnContentAndNames() {
        Versioned a = resource("a", "1");
        Versioned b = resource("b", "2");
        String version = Table.of(List.of(a, b)).version();
        assertThat(Table.of(List.of(b, a)).version()).isEqualTo(version);
        assertThat(Table.of(List.of(resource("a", "2"), resource("b", "1"))).version()).isNotEqualTo(version);
        assertThat(Table.of(List.of(a)).version()).isNotEqualTo(version).isNotEqualTo(Table.EMPTY.version());
        assertThat(Table.of(List.of(resource("c", "1"), b)).version()).isNotEqualTo(version);
    }

    @Test
    void ofTwoOfOneNameTheLastCounts() {
        Versioned last = resource("a", "2");
        assertThat(Table.of(List.of(resource("a", "1"), resource("b", "1"), last)).resources()).hasSize(2).contains(last);
    }
}
