package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.it.harness.PublishedSection;
import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The table of what is expected of which client in {@code docs/libraries.md}, as the suite has it: {@link ClientIT} fails where it says
 * yes and that is not so. Written anew with {@code -Dweft.it.write-docs=true}.
 */
class LibrariesIT {
    private static final List<Class<? extends Expectations>> AREAS = List.of(
            RoutingExpectations.class,
            RetryExpectations.class,
            TimeLimitExpectations.class,
            HedgeExpectations.class,
            MirrorExpectations.class,
            MeshTlsExpectations.class,
            LeftBehindExpectations.class,
            TransparencyExpectations.class,
            SizeExpectations.class,
            OutsideExpectations.class);

    @Test
    void theTableOfClientsIsUpToDate() {
        new PublishedSection("clients").isUpToDate(table());
    }

    @Test
    void everyAreaOfTheSuiteIsInTheTable() {
        List<Class<?>> tested = Stream.of(ClientIT.class.getDeclaredClasses()).<Class<?>>map(Class::getSuperclass).toList();

        assertThat(tested).containsExactlyInAnyOrderElementsOf(AREAS);
    }

    private static String table() {
        Set<Trait> missing = new LinkedHashSet<>();
        StringBuilder table = new StringBuilder("\n| area | expected |");
        for (Client client : Client.values()) {
            table.append(' ').append(client.title).append(" |");
        }
        table.append("\n|---|---|").append("---|".repeat(Client.values().length)).append("\n| CI | runs on this JDK |");
        for (Client client : Client.values()) {
            table.append(' ').append(client.jdks()).append(" |");
        }
        table.append('\n');
        for (Class<?> area : AREAS) {
            String heading = PublishedSection.words(area.getSimpleName().replace("Expectations", ""));
            expectations(area).forEach(expectation -> {
                table.append("| ").append(heading).append(" | ").append(PublishedSection.words(expectation.getName())).append(" |");
                for (Client client : Client.values()) {
                    table.append(' ').append(cell(client, expectation, missing)).append(" |");
                }
                table.append('\n');
            });
        }
        table.append('\n');
        int number = 0;
        for (Trait trait : missing) {
            table.append(++number).append(". ").append(trait.reason).append('\n');
        }
        return table.append('\n').toString();
    }

    private static Stream<Method> expectations(Class<?> area) {
        return Stream.of(area.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .sorted(Comparator.comparing(Method::getName));
    }

    private static String cell(Client client, Method expectation, Set<Trait> missing) {
        Takes takes = expectation.getAnnotation(Takes.class);
        if (takes == null || takes.value().isOf(client)) {
            return "yes";
        }
        missing.add(takes.value());
        return takes.value().without + " (" + (List.copyOf(missing).indexOf(takes.value()) + 1) + ")";
    }
}
