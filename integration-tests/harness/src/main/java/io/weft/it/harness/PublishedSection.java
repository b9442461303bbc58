package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A part of {@code docs/libraries.md} that is written by a program: by a test with {@code -Dweft.it.write-docs=true}, which else compares it with what it would write.
 *
 * @param name as it is in the marks around it
 */
public record PublishedSection(String name) {
    private static final Path PAGE = Path.of("..", "..", "docs", "libraries.md");

    /** @throws AssertionError the page says something else */
    public void isUpToDate(String content) {
        if (Boolean.getBoolean("weft.it.write-docs")) {
            write(content);
        } else if (!page().equals(pageWith(content))) {
            throw new AssertionError("docs/libraries.md is not up to date; write it with -Dweft.it.write-docs=true: " + content);
        }
    }

    public void write(String content) {
        try {
            Files.writeString(PAGE, pageWith(content));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As the page has it. */
    public String content() {
        String page = page();
        return page.substring(begin(page), end(page));
    }

    private String pageWith(String content) {
        String page = page();
        return page.substring(0, begin(page)) + content + page.substring(end(page));
    }

    private int begin(String page) {
        return page.indexOf('\n', page.indexOf("<!-- " + name + ": written by ")) + 1;
    }

    private int end(String page) {
        return page.indexOf("<!-- " + name + ": end -->");
    }

    private static String page() {
        try {
            return Files.readString(PAGE);
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
                .replaceAll(" (app|library|nobody|server|channel)s( |$)", " $1's$2");
    }
}
