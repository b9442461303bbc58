package io.weft.controlplane.demo;

import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/**
 * One thing that the operator does, and what must be seen then.
 *
 * @param name for scripts, stable
 * @param title for people
 * @param expected share of each version once the step is in force
 * @param action what is done
 * @param inForce tells from the answers since the action whether the step is in force
 * @param refused the answers of those who are not let in any more: no failures, and not counted in the shares
 */
record Step(
        String name, String title, Map<String, Double> expected, Action action, Effect inForce, Predicate<Answer> refused) {

    /** Everyone is let in. */
    Step(String name, String title, Map<String, Double> expected, Action action, Effect inForce) {
        this(name, title, expected, action, inForce, answer -> false);
    }

    @FunctionalInterface
    interface Action {
        void run(DemoMesh mesh) throws Exception;
    }

    /** How a step is seen to be in force, from what the callers got and nothing else. */
    sealed interface Effect {}

    /**
     * Both callers have got an answer that the policy before could not give.
     *
     * @param evidence such an answer
     */
    record Appears(Predicate<Answer> evidence) implements Effect {}

    /**
     * Nobody gets an answer any more that the policy now cannot give.
     *
     * @param contradiction such an answer
     */
    record Vanishes(Predicate<Answer> contradiction) implements Effect {}

    /** Seen by looking at something else than the answers. */
    record Seen(Look look) implements Effect {}

    @FunctionalInterface
    interface Look {
        boolean at(DemoMesh mesh) throws Exception;
    }

    /** Nothing may change; in force once the action is done. */
    record Steady() implements Effect {}

    /**
     * An instance is gone: nobody gets its answers any more.
     *
     * @param instance tells the answers of the instance, given the mesh
     */
    record Gone(BiPredicate<DemoMesh, Answer> instance) implements Effect {}
}
