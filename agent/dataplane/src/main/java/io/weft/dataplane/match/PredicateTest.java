package io.weft.dataplane.match;

import io.weft.dataplane.Caller;
import io.weft.dataplane.IpAddress;
import io.weft.dataplane.route.TextTest;
import io.weft.policy.model.MatchTree.And;
import io.weft.policy.model.MatchTree.InRange;
import io.weft.policy.model.MatchTree.Not;
import io.weft.policy.model.MatchTree.Or;
import io.weft.policy.model.MatchTree.Predicate;
import io.weft.policy.model.MatchTree.Text;
import java.util.List;

/** A {@link Predicate} made ready. Immutable. */
abstract sealed class PredicateTest {

    abstract boolean matches(Caller caller);

    static PredicateTest of(Predicate predicate) {
        if (predicate instanceof Text text) {
            return new OfText(text);
        }
        if (predicate instanceof InRange range) {
            return new OfRanges(range);
        }
        if (predicate instanceof Not not) {
            return new Negated(of(not.predicate()));
        }
        return predicate instanceof And and ? new Every(of(and.all())) : new Any(of(((Or) predicate).any()));
    }

    private static PredicateTest[] of(List<Predicate> predicates) {
        return predicates.stream().map(PredicateTest::of).toArray(PredicateTest[]::new);
    }

    private static final class OfText extends PredicateTest {
        private final InputReader input;
        private final TextTest test;

        OfText(Text text) {
            input = InputReader.of(text.input());
            test = TextTest.of(text.match());
        }

        @Override
        boolean matches(Caller caller) {
            String text = input.text(caller);
            return text != null && test.matches(text);
        }
    }

    private static final class OfRanges extends PredicateTest {
        private final InputReader input;
        private final AddressRange[] ranges;

        OfRanges(InRange range) {
            input = InputReader.of(range.input());
            ranges = AddressRange.of(range.ranges());
        }

        @Override
        boolean matches(Caller caller) {
            IpAddress address = input.address(caller);
            return address != null && AddressRange.any(ranges, address);
        }
    }

    private static final class Every extends PredicateTest {
        private final PredicateTest[] all;

        Every(PredicateTest[] all) {
            this.all = all;
        }

        @Override
        boolean matches(Caller caller) {
            for (int i = 0; i < all.length; i++) {
                if (!all[i].matches(caller)) {
                    return false;
                }
            }
            return true;
        }
    }

    private static final class Any extends PredicateTest {
        private final PredicateTest[] any;

        Any(PredicateTest[] any) {
            this.any = any;
        }

        @Override
        boolean matches(Caller caller) {
            for (int i = 0; i < any.length; i++) {
                if (any[i].matches(caller)) {
                    return true;
                }
            }
            return false;
        }
    }

    private static final class Negated extends PredicateTest {
        private final PredicateTest test;

        Negated(PredicateTest test) {
            this.test = test;
        }

        @Override
        boolean matches(Caller caller) {
            return !test.matches(caller);
        }
    }
}
