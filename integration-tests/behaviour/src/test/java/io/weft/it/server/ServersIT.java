package io.weft.it.server;

import io.weft.it.harness.PublishedSection;
import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The table of what is expected of which server in {@code docs/libraries.md}, as the suites have it, which fail where it says yes and that
 * is not so.
 */
class ServersIT {
    private static final Map<String, Class<?>> AREAS = new TreeMap<>(Map.of("behaviour", ServerIT.class, "mesh tls", ServerTlsIT.class, "policy", ServerPolicyIT.class));

    @Test
    void theTableOfServersIsUpToDate() {
        new PublishedSection("servers").isUpToDate(table());
    }

    private static String table() {
        Set<Trait> missing = new LinkedHashSet<>();
        StringBuilder table = new StringBuilder("\n| area | expected |");
        for (Server server : Server.values()) {
            table.append(' ').append(server.title).append(" |");
        }
        table.append("\n|---|---|").append("---|".repeat(Server.values().length)).append("\n| CI | runs on this JDK |");
        for (Server server : Server.values()) {
            table.append(' ').append(server.jdks()).append(" |");
        }
        table.append('\n');
        AREAS.forEach((area, suite) -> expectations(suite).forEach(expectation -> {
            table.append("| ").append(area).append(" | ").append(PublishedSection.words(expectation.getName())).append(" |");
            for (Server server : Server.values()) {
                table.append(' ').append(cell(server, expectation, missing)).append(" |");
            }
            table.append('\n');
        }));
        table.append('\n');
        int number = 0;
        for (Trait trait : missing) {
            table.append(++number).append(". ").append(trait.reason).append('\n');
        }
        return table.append('\n').toString();
    }

    private static Stream<Method> expectations(Class<?> suite) {
        return Stream.of(suite.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .sorted(Comparator.comparing(Method::getName));
    }

    private static String cell(Server server, Method expectation, Set<Trait> missing) {
        Takes takes = expectation.getAnnotation(Takes.class);
        if (takes == null || takes.value().isOf(server)) {
            return "yes";
        }
        missing.add(takes.value());
        return "n.a. (" + (List.copyOf(missing).indexOf(takes.value()) + 1) + ")";
    }
}
