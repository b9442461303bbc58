package io.weft.it.comparison;

/** A part of the configuration whose cases one generator makes. Stateless: all that is drawn comes from the {@link Draw}. */
interface Area {
    /** As in {@code --area}. */
    String name();

    String summary();

    /** How many of a hundred cases are of it, about. */
    int share();

    /** Whether its cases wait for something: a batch takes as long as its slowest case, so they come together. */
    default boolean slow() {
        return false;
    }

    Case draw(Draw draw);
}
