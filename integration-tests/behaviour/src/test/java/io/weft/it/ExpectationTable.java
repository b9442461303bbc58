package io.weft.it;

import io.weft.it.harness.PublishedSection;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What is expected of which library, for {@code docs/libraries.md}: each row is a test of a suite, which fails where the table says yes and that is not so.
 *
 * @param areas the suites by what the table calls them, in its order
 */
public record ExpectationTable(List<Library> libraries, Map<String, Class<?>> areas) {

    /**
     * A column.
     *
     * @param jdks of CI, for people
     * @param missing why an expectation is none of this library; empty: it is one
     */
    public record Library(String title, String jdks, Function<Method, Optional<Missing>> missing) {}

    /** @param without {@code no} where an operator would miss something, else {@code n.a.} */
    public record Missing(String without, String reason) {}

    /** With a column for each of these, which is expected to do what the suite's annotations say. */
    public static <L> List<Library> columns(L[] libraries, Function<L, String> title, Function<L, String> jdks, BiFunction<L, Method, Optional<Missing>> missing) {
        return Stream.of(libraries)
                .map(library -> new Library(title.apply(library), jdks.apply(library), expectation -> missing.apply(library, expectation)))
                .toList();
    }

    /** @throws AssertionError the page says something else */
    public void isUpToDateAs(String section) {
        new PublishedSection(section).isUpToDate(text());
    }

    private String text() {
        List<Missing> reasons = new ArrayList<>();
        StringBuilder text = new StringBuilder("\n");
        text.append(row("area", "expected", libraries.stream().map(Library::title)));
        text.append("|---|---|").append("---|".repeat(libraries.size())).append('\n');
        text.append(row("CI", "runs on this JDK", libraries.stream().map(Library::jdks)));
        areas.forEach((area, suite) -> expectations(suite).forEach(expectation -> text.append(
                row(area, PublishedSection.words(expectation.getName()), libraries.stream().map(library -> cell(library, expectation, reasons))))));
        text.append('\n');
        for (int i = 0; i < reasons.size(); i++) {
            text.append(i + 1).append(". ").append(reasons.get(i).reason).append('\n');
        }
        return text.append(reasons.isEmpty() ? "" : "\n").toString();
    }

    private static String row(String area, String expected, Stream<String> cells) {
        StringBuilder row = new StringBuilder("| ").append(area).append(" | ").append(expected).append(" |");
        cells.forEach(cell -> row.append(' ').append(cell).append(" |"));
        return row.append('\n').toString();
    }

    private static Stream<Method> expectations(Class<?> suite) {
        return Stream.of(suite.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .sorted(Comparator.comparing(Method::getName));
    }

    private static String cell(Library library, Method expectation, List<Missing> reasons) {
        Optional<Missing> missing = library.missing.apply(expectation);
        if (missing.isEmpty()) {
            return "yes";
        }
        if (!reasons.contains(missing.get())) {
            reasons.add(missing.get());
        }
        return missing.get().without + " (" + (reasons.indexOf(missing.get()) + 1) + ")";
    }
}
