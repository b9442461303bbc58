package io.weft.dataplane.hash;

/** An array of numbers below a bound, in as few bytes each as the bound needs. */
abstract class PackedIndexes {
    private PackedIndexes() {}

    abstract int get(int at);

    abstract void set(int at, int index);

    static PackedIndexes of(int size, int bound) {
        if (bound <= 1 << Byte.SIZE) {
            return new Bytes(size);
        }
        return bound <= 1 << Character.SIZE ? new Chars(size) : new Ints(size);
    }

    private static final class Bytes extends PackedIndexes {
        private final byte[] indexes;

        Bytes(int size) {
            indexes = new byte[size];
        }

        @Override
        int get(int at) {
            return indexes[at] & 0xff;
        }

        @Override
        void set(int at, int index) {
            indexes[at] = (byte) index;
        }
    }

    private static final class Chars extends PackedIndexes {
        private final char[] indexes;

        Chars(int size) {
            indexes = new char[size];
        }

        @Override
        int get(int at) {
            return indexes[at];
        }

        @Override
        void set(int at, int index) {
            indexes[at] = (char) index;
        }
    }

    private static final class Ints extends PackedIndexes {
        private final int[] indexes;

        Ints(int size) {
            indexes = new int[size];
        }

        @Override
        int get(int at) {
            return indexes[at];
        }

        @Override
        void set(int at, int index) {
            indexes[at] = index;
        }
    }
}
