// Reads Jenkinsfiles with Groovy itself and prints what each calls, as a line of JSON: [["sh", [...]], ["stage", ["load"]], ...].
import groovy.json.JsonOutput

class Told extends Script {
    static calls = []
    def run() {}
    def credentials(String id) { [credentials: id] }
    def getHudson() { [model: [Result: [SUCCESS: 'SUCCESS']]] }
    def getEnv() { [BUILD_NUMBER: '7'] }
    def getAny() { 'any' }
    void setProperty(String name, Object value) { calls << [name, [value]] }
    def methodMissing(String name, Object args) {
        def words = (args as List).findAll { !(it instanceof Closure) }.collect { it instanceof GString ? it.toString() : it }
        calls << [name, words]
        (args as List).findAll { it instanceof Closure }.each { it.delegate = this; it.resolveStrategy = Closure.DELEGATE_FIRST; it() }
        calls << ["/" + name, []]
    }
}

def settings = new org.codehaus.groovy.control.CompilerConfiguration(scriptBaseClass: Told.name)
args.each {
    Told.calls = []
    new GroovyShell(this.class.classLoader, new Binding(), settings).parse(new File(it).getText('UTF-8')).run()
    println JsonOutput.toJson(Told.calls)
}
