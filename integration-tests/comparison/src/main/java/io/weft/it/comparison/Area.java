package io.weft.it.comparison;

/** A part of the configuration whose cases one generator makes. Stateless: all that is drawn comes from the {@link Draw}. */
interface Area {
    /** As in {@code --area}. */
    String name();

    String summary();

    /** How many of a hundred cases are of it, about. */
    int share();

    Case draw(Draw draw);
}
