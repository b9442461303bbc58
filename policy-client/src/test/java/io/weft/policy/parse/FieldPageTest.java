package io.weft.policy.parse;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.parse.ApiMessages.ApiField;
import io.weft.policy.parse.EveryFieldDecidedTest.Effect;
import io.weft.policy.parse.EveryFieldDecidedTest.Kind;
import io.weft.policy.parse.EveryFieldDecidedTest.Subject;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code docs/fields.md} says what the parser does: it is made of the decisions that {@link EveryFieldDecidedTest} finds out. */
class FieldPageTest {
    private static final Path PAGE = Path.of("../docs/fields.md");

    private static final String INTRODUCTION = """
            # Fields

            What becomes of each field of the policies that a control plane sends. Made by `FieldPageTest` from what the parser does with it; do not edit.

            - **honoured**: it means what it means in Envoy ([differences](differences-from-envoy.md)).
            - **refused**: the resource is NACKed with the field's path, since without the field it would mean something else.
            - **reported**: it has no effect here; `weft status` lists it with its path.
            - **no effect**: it says nothing that could have one, for the reason given.

            A field that this version does not know, of a newer or a much older API, is reported by message and number; in messages that decide who
            gets in, or which requests a rule is for, it is refused. Messages that only refused and reported fields lead to are not listed.
            """;

    /** Their fields are decided where they are used, by tests of their own. */
    private static final String WHOLE = "as a whole";

    private record Row(String field, String what, String note) {}

    private static Map<String, List<Row>> pages(Set<String> whole) {
        Map<String, Subject> subjects = new TreeMap<>();
        Map<String, Class<?>> classes = new TreeMap<>();
        Stream.of(EveryFieldDecidedTest.subjects(), EveryFieldDecidedTest.security(), EveryFieldDecidedTest.accessLogs(), NestedMessages.all())
                .flatMap(stream -> stream)
                .forEach(subject -> {
                    Class<?> message = subject.base().getClass().getEnclosingClass();
                    subjects.put(ApiMessages.name(message), subject);
                    classes.put(ApiMessages.name(message), message);
                });
        Map<String, List<Row>> pages = new TreeMap<>();
        subjects.forEach((name, subject) -> {
            Map<String, List<Effect>> effects = EveryFieldDecidedTest.effects(subject);
            Map<String, List<Effect>> inbound = EveryFieldDecidedTest.effects(inbound(subject));
            pages.put(name, ApiMessages.fields(classes.get(name)).stream()
                    .map(field -> ofEitherDirection(
                            row(field, effects.get(field.camel()), subject, subjects.keySet(), whole),
                            row(field, inbound.get(field.camel()), subject, subjects.keySet(), whole)))
                    .toList());
        });
        return pages;
    }

    /** The same message in a listener for what comes in, where it is in a listener. */
    private static Subject inbound(Subject subject) {
        return new Subject(
                subject.base(),
                base -> subject.resource().apply(base) instanceof Listener listener
                        ? listener.toBuilder().setTrafficDirection(TrafficDirection.INBOUND).build()
                        : subject.resource().apply(base),
                subject.nothing());
    }

    private static Row ofEitherDirection(Row outbound, Row inbound) {
        if (!outbound.what().equals("honoured") && inbound.what().equals("honoured")) {
            return new Row(inbound.field(), "honoured", "of an inbound listener; " + outbound.what() + " of others");
        }
        return outbound.what().equals("honoured") && inbound.what().equals("reported")
                ? new Row(outbound.field(), "honoured", "of an outbound listener; reported of others")
                : outbound;
    }

    private static Row row(ApiField field, List<Effect> effects, Subject subject, Set<String> subjects, Set<String> whole) {
        assertThat(effects).as(field.name()).isNotNull();
        Effect refused = effects.stream().filter(effect -> effect.kind() == Kind.REFUSED).findFirst().orElse(null);
        String message = field.message() == null ? "" : ApiMessages.name(field.message());
        boolean inside = refused != null
                && (!endsWith(refused.path(), field.name()) || isOfTheValue(refused.reason()));
        boolean honoured = effects.stream().anyMatch(effect -> effect.kind() == Kind.HONOURED)
                || inside
                || EveryFieldDecidedTest.HONOURED.equals(subject.nothing().get(field.camel()));
        if (honoured) {
            String note = "";
            if (subjects.contains(message)) {
                note = "[" + message + "](#" + message.replace(".", "").toLowerCase(java.util.Locale.ROOT) + ")";
            } else if (field.message() != null && ApiMessages.fields(field.message()).isEmpty()) {
                note = "`" + message + "`, which has no fields";
            } else if (!message.isEmpty() && !message.startsWith("google.")) {
                whole.add(message);
                note = "`" + message + "`, " + WHOLE;
            } else if (refused != null && (!inside || isOfTheValue(refused.reason()))) {
                note = "not every value: " + refused.reason();
            }
            return new Row(field.name(), "honoured", note);
        }
        if (refused != null) {
            return new Row(field.name(), "refused", refused.reason());
        }
        if (effects.stream().anyMatch(effect -> effect.kind() == Kind.REPORTED)) {
            return new Row(field.name(), "reported", "");
        }
        return new Row(field.name(), "no effect", subject.nothing().getOrDefault(field.camel(), ""));
    }

    /** Refused is what was tried, empty or out of range as it is, not the field. */
    private static boolean isOfTheValue(String reason) {
        return reason.contains("''")
                || reason.contains("this source is not supported")
                || reason.contains("is required but not supported; remove it, or set is_optional")
                || !(reason.contains("not supported") || reason.contains("not enforced") || reason.contains("not known here")
                        || reason.contains("only supported as"));
    }

    /** Whether the path is that of the field itself, or that of the message around it. */
    private static boolean endsWith(String path, String field) {
        String last = path.substring(path.lastIndexOf('.') + 1).replaceFirst("\\[.*$", "").replaceFirst(" .*$", "");
        return last.equals(field) || !path.contains(field);
    }

    private static String page() {
        StringBuilder page = new StringBuilder(INTRODUCTION);
        pages(new TreeSet<>()).forEach((message, rows) -> {
            page.append("\n## ").append(message).append("\n\n| field | | note |\n|---|---|---|\n");
            rows.forEach(row -> page.append("| ").append(row.field()).append(" | ").append(row.what()).append(" | ")
                    .append(row.note().replace("|", "\\|")).append(" |\n"));
        });
        return page.toString();
    }

    @Test
    void thePageIsTrue() throws IOException {
        String page = page();
        if (Boolean.getBoolean("weft.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(Files.exists(PAGE) ? Files.readString(PAGE) : "")
                .as("docs/fields.md is stale; write it with: mvn -pl policy-client -am test -Dtest=FieldPageTest -DargLine=-Dweft.write=true"
                        + " -Dsurefire.failIfNoSpecifiedTests=false")
                .isEqualTo(page);
    }
}
