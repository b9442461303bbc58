package io.weft.dataplane.match;

import io.weft.dataplane.Caller;
import io.weft.dataplane.IpAddress;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.MatchTree.Act;
import io.weft.policy.model.MatchTree.Descend;
import io.weft.policy.model.MatchTree.ExactMap;
import io.weft.policy.model.MatchTree.OnMatch;
import io.weft.policy.model.MatchTree.PrefixMap;
import io.weft.policy.model.MatchTree.RangeBranch;
import io.weft.policy.model.MatchTree.Ranges;
import io.weft.policy.model.MatchTree.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A {@link MatchTree} made ready. Each node is looked at once at most, so that a decision takes no longer than the tree is
 * large; maps are searched in less. Immutable; allocates nothing but what its inputs do.
 *
 * @param <R> what comes out
 */
public abstract class Decider<R> {
    /** What a branch that comes to nothing, or a tree that says nothing of the rest, leads to. */
    private static final Decider<?> NOTHING = new Leaf<>(null);

    /** @return null when nothing matches */
    public abstract R decide(Caller caller);

    /** @param results of the actions, asked for once each */
    public static <A, R> Decider<R> of(MatchTree<A> tree, Function<A, R> results) {
        Decider<R> otherwise = tree.onNoMatch().isPresent() ? branch(tree.onNoMatch().get(), results) : nothing();
        if (tree.branches().isEmpty()) {
            return otherwise;
        }
        MatchTree.Branches<A> branches = tree.branches().get();
        if (branches instanceof Sequence<A> sequence) {
            return new InSequence<>(sequence, results, otherwise);
        }
        if (branches instanceof ExactMap<A> map) {
            return new ByValue<>(InputReader.of(map.input()), branches(map.map(), results), otherwise);
        }
        if (branches instanceof PrefixMap<A> map) {
            PrefixTable<Decider<R>> table = new PrefixTable<>(branches(map.map(), results));
            return new ByPrefix<>(InputReader.of(map.input()), table, otherwise);
        }
        return new ByRange<>((Ranges<A>) branches, results, otherwise);
    }

    private static <A, R> Map<String, Decider<R>> branches(Map<String, OnMatch<A>> map, Function<A, R> results) {
        Map<String, Decider<R>> ready = new HashMap<>();
        map.forEach((key, onMatch) -> ready.put(key, branch(onMatch, results)));
        return ready;
    }

    private static <A, R> Decider<R> branch(OnMatch<A> onMatch, Function<A, R> results) {
        return onMatch instanceof Act<A> act
                ? new Leaf<>(results.apply(act.action()))
                : of(((Descend<A>) onMatch).tree(), results);
    }

    @SuppressWarnings("unchecked") // it gives out nothing
    private static <R> Decider<R> nothing() {
        return (Decider<R>) NOTHING;
    }

    private static final class Leaf<R> extends Decider<R> {
        private final R result;

        Leaf(R result) {
            this.result = result;
        }

        @Override
        public R decide(Caller caller) {
            return result;
        }
    }

    private static final class InSequence<R> extends Decider<R> {
        private final PredicateTest[] tests;
        private final List<Decider<R>> branches;
        private final Decider<R> otherwise;

        <A> InSequence(Sequence<A> sequence, Function<A, R> results, Decider<R> otherwise) {
            tests = sequence.branches().stream().map(it -> PredicateTest.of(it.predicate())).toArray(PredicateTest[]::new);
            branches = new ArrayList<>(tests.length);
            for (MatchTree.Branch<A> branch : sequence.branches()) {
                branches.add(branch(branch.onMatch(), results));
            }
            this.otherwise = otherwise;
        }

        @Override
        public R decide(Caller caller) {
            for (int i = 0; i < tests.length; i++) {
                R result = tests[i].matches(caller) ? branches.get(i).decide(caller) : null;
                if (result != null) {
                    return result;
                }
            }
            return otherwise.decide(caller);
        }
    }

    private static final class ByValue<R> extends Decider<R> {
        private final InputReader input;
        private final Map<String, Decider<R>> branches;
        private final Decider<R> otherwise;

        ByValue(InputReader input, Map<String, Decider<R>> branches, Decider<R> otherwise) {
            this.input = input;
            this.branches = branches;
            this.otherwise = otherwise;
        }

        @Override
        public R decide(Caller caller) {
            String value = input.text(caller);
            Decider<R> branch = value == null ? null : branches.get(value);
            R result = branch == null ? null : branch.decide(caller);
            return result == null ? otherwise.decide(caller) : result;
        }
    }

    private static final class ByPrefix<R> extends Decider<R> {
        private final InputReader input;
        private final PrefixTable<Decider<R>> branches;
        private final Decider<R> otherwise;

        ByPrefix(InputReader input, PrefixTable<Decider<R>> branches, Decider<R> otherwise) {
            this.input = input;
            this.branches = branches;
            this.otherwise = otherwise;
        }

        @Override
        public R decide(Caller caller) {
            String value = input.text(caller);
            int index = value == null ? -1 : branches.find(value);
            while (index >= 0) {
                R result = branches.value(index).decide(caller);
                if (result != null) {
                    return result;
                }
                index = branches.shorter(index);
            }
            return otherwise.decide(caller);
        }
    }

    private static final class ByRange<R> extends Decider<R> {
        private final InputReader input;
        private final List<Branch<R>> branches;
        private final Decider<R> otherwise;

        /** @param narrowestFirst of which one must hold the address */
        private record Branch<R>(AddressRange[] narrowestFirst, boolean exclusive, Decider<R> decider) {

            /** @return the length of the narrowest range around the address, -1 without one */
            int width(IpAddress address) {
                for (int i = 0; i < narrowestFirst.length; i++) {
                    if (narrowestFirst[i].contains(address)) {
                        return narrowestFirst[i].length();
                    }
                }
                return -1;
            }
        }

        <A> ByRange(Ranges<A> ranges, Function<A, R> results, Decider<R> otherwise) {
            input = InputReader.of(ranges.input());
            branches = new ArrayList<>();
            for (RangeBranch<A> branch : ranges.branches()) {
                AddressRange[] narrowestFirst = AddressRange.of(branch.ranges());
                Arrays.sort(narrowestFirst, Comparator.comparing(range -> -range.length()));
                branches.add(new Branch<>(narrowestFirst, branch.exclusive(), branch(branch.onMatch(), results)));
            }
            this.otherwise = otherwise;
        }

        @Override
        public R decide(Caller caller) {
            IpAddress address = input.address(caller);
            int tried = address == null ? -1 : next(address, -1, false);
            while (tried >= 0) {
                R result = branches.get(tried).decider.decide(caller);
                if (result != null) {
                    return result;
                }
                tried = next(address, tried, true);
            }
            return otherwise.decide(caller);
        }

        /** @return the branch that comes after this one: narrowest first, then in order; -1 after the last */
        private int next(IpAddress address, int after, boolean withoutExclusive) {
            int limit = after < 0 ? Integer.MAX_VALUE : branches.get(after).width(address);
            int next = -1;
            int widest = -1;
            for (int i = 0; i < branches.size(); i++) {
                Branch<R> branch = branches.get(i);
                int width = withoutExclusive && branch.exclusive ? -1 : branch.width(address);
                boolean due = width < limit || width == limit && i > after;
                if (due && width > widest) {
                    next = i;
                    widest = width;
                }
            }
            return next;
        }
    }
}
