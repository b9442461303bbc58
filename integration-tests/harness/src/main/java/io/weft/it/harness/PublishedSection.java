package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A part of {@code docs/libraries.md} that a test writes with {@code -Dweft.it.write-docs=true}, and else compares with what it would write.
 *
 * @param name as it is in the marks around it
 */
public record PublishedSection(String name) {
    private static final Path PAGE = Path.of("..", "..", "docs", "libraries.md");

    /** @throws AssertionError the page says something else */
    public void isUpToDate(String content) {
        try {
            String page = Files.readString(PAGE);
            int begin = page.indexOf('\n', page.indexOf("<!-- " + name + ": written by ")) + 1;
            int end = page.indexOf("<!-- " + name + ": end -->");
            if (Boolean.getBoolean("weft.it.write-docs")) {
                Files.writeString(PAGE, page.substring(0, begin) + content + page.substring(end));
            } else if (!page.substring(begin, end).equals(content)) {
                throw new AssertionError("docs/libraries.md is not up to date; write it with -Dweft.it.write-docs=true: " + content);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The words of a test's name. */
    public static String words(String camelCase) {
        return Stream.of(camelCase.split("(?=[A-Z])|(?<=[a-z])(?=[0-9])"))
                .map(word -> word.toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(" "))
                .replace("agents", "agent's")
                .replace(" apps ", " app's ")
                .replace(" librarys ", " library's ");
    }
}
