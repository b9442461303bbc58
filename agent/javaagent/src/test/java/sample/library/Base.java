package sample.library;

public class Base {
    public String inherited() {
        return "inherited";
    }
}
