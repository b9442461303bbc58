package io.weft.dataplane.authorize;

import io.weft.dataplane.Caller;
import io.weft.dataplane.route.TextTest;
import io.weft.policy.model.ValueMatch;
import java.util.List;

/** A {@link ValueMatch} made ready. Immutable. */
interface ValueTest {

    /** @param value as {@link Caller#metadata} has them; null: there is none, which matches nothing */
    boolean matches(Object value);

    static ValueTest of(ValueMatch match) {
        if (match instanceof ValueMatch.Text text) {
            TextTest test = TextTest.of(text.match());
            return value -> value instanceof String string && test.matches(string);
        }
        if (match instanceof ValueMatch.OneOf oneOf) {
            ValueTest element = of(oneOf.element());
            return value -> value instanceof List<?> list && any(list, element);
        }
        if (match instanceof ValueMatch.Or or) {
            ValueTest[] tests = or.any().stream().map(ValueTest::of).toArray(ValueTest[]::new);
            return value -> any(tests, value);
        }
        if (match instanceof ValueMatch.Bool bool) {
            return value -> value instanceof Boolean found && found == bool.value();
        }
        if (match instanceof ValueMatch.Exactly exactly) {
            return value -> value instanceof Double number && number == exactly.number();
        }
        if (match instanceof ValueMatch.Between between) {
            return value -> value instanceof Double number && between.from() <= number && number < between.to();
        }
        if (match instanceof ValueMatch.Null) {
            return value -> value == Caller.NULL;
        }
        return match instanceof ValueMatch.Present ? value -> value != null : value -> false;
    }

    private static boolean any(List<?> values, ValueTest test) {
        for (int i = 0; i < values.size(); i++) {
            if (test.matches(values.get(i))) {
                return true;
            }
        }
        return false;
    }

    private static boolean any(ValueTest[] tests, Object value) {
        for (int i = 0; i < tests.length; i++) {
            if (tests[i].matches(value)) {
                return true;
            }
        }
        return false;
    }
}
