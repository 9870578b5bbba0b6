using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Tools.OpenApi;

namespace VoiceGrains.Server.Tests.Tools;

public sealed class OpenApiImportTests
{
    /// <summary>For what must be refused before it grows; far beyond what that takes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("petstore.yaml", """
        listPets
          GET https://eu.pets.example/v1/pets
          Lists pets.\nNewest first,\nat most 100.
          query limit {"type":"integer","format":"int32","minimum":1,"maximum":100,"description":"How many."}
          query tags {"type":"array","items":{"type":"string"}}
          header X-Request-ID! {"type":"string","format":"uuid"}
          [{"requirements":{"petKey":{"headerApiKey":{"name":"X-Pet-Key"}}}}]
        pets_create
          POST https://eu.pets.example/v1/pets
          POST /pets
          body name! {"type":"string","maxLength":40}
          body born {"type":["string","null"],"format":"date"}
          body weight {"type":"number","exclusiveMinimum":0}
          [{"requirements":{"oauth":{"httpAuth":{"scheme":"Bearer"}}}},{"requirements":{"petKey":{"headerApiKey":{"name":"X-Pet-Key"}},"signature":{"queryApiKey":{"name":"sig"}}}}]
        replacePet
          PUT https://eu.pets.example/v1/pets/{path_id}
          PUT /pets/{id}
          body name! {"type":"string","maxLength":40}
          body born {"type":["string","null"],"format":"date"}
          body weight {"type":"number","exclusiveMinimum":0}
          body id! {"type":"string"}
          body parent! {"allOf":[{"type":"object","description":"As it is stored.","properties":{"name":{"type":"string","maxLength":40},"born":{"type":["string","null"],"format":"date"},"weight":{"type":"number","exclusiveMinimum":0}},"required":["name"]},{"type":"object","properties":{"id":{"type":"string"},"parent":{}},"required":["id","parent"]}]}
          path path_id! {"type":"string","pattern":"^[a-z]+$","description":"The pet."}
        delete_pets_id
          DELETE https://eu.pets.example/v1/pets/{id}
          Removes a pet.
          path id! {"type":"string","pattern":"^[a-z]+$","description":"The pet."}
          [{"requirements":{}},{"requirements":{"bearer":{"httpAuth":{"scheme":"Bearer"}}}}]
        get_pets_id_toys_toy
          GET http://toys.example/pets/{id}/toys/{toy}
          GET /pets/{id}/toys/{toy}
          query limit {"type":"integer","format":"int32","minimum":1,"maximum":100,"description":"How many."}
          path id! {"type":"string"}
          path toy! {"type":"string"}
          [{"requirements":{"petKey":{"headerApiKey":{"name":"X-Pet-Key"}}}}]
        """)]
    [InlineData("orders.json", """
        add_item_orders__order_id__items_post
          POST https://orders.example/orders/{order_id}/items
          Add Item
          query filter {"type":"object","properties":{"and":{"type":"array","items":{"type":"object"}},"key":{}}}
          body sku! {"type":"string"}
          body note {"description":"Free text.","anyOf":[{"type":"string"},{"type":"null"}]}
          body size! {"type":["string"],"enum":["small","large"],"description":"Of the cup."}
          body lookahead {"type":"string"}
          path order_id! {"type":"integer"}
        get
          GET https://orders.example/
          GET /
        """)]
    public async Task AnOperation_BecomesATool(string document, string tools)
        => Assert.Equal(tools, Describe(OpenApiImport.Read(await File.ReadAllBytesAsync(Document(document), TestContext.Current.CancellationToken), 200)));

    [Fact]
    public async Task YamlAndItsJson_AreTheSame()
    {
        var yaml = await File.ReadAllTextAsync(Document("petstore.yaml"), TestContext.Current.CancellationToken);
        var json = YamlText.Read(yaml)!.ToJsonString();
        Assert.Equal(Describe(Read(yaml)), Describe(Read(json)));
        Assert.Equal(Describe(Read(yaml)), Describe(Read("\uFEFF" + yaml.Replace("\n", "\r\n", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task ALargeRealDocument_IsRead()
    {
        var yaml = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Contract", "ultravox-openapi.yaml"), TestContext.Current.CancellationToken);
        var tools = Read(yaml);
        Assert.Equal(yaml.Split("operationId:").Length - 1, tools.Count);
        Assert.All(tools, AssertUsable);
        Assert.All(tools, tool => Assert.InRange(ToolStore.ToJson(tool.Definition).Length, 100, new DurableToolOptions().MaxDefinitionBytes));
    }

    [Theory]
    [InlineData("a/b c", "a_b_c")]
    [InlineData("__x__", "x")]
    [InlineData("", "get_p")]
    [InlineData("日本", "operation")]
    [InlineData("0123456789012345678901234567890123456789_and_more", "0123456789012345678901234567890123456789")]
    public void AName_IsMadeUsable(string operationId, string name)
        => Assert.Equal(name, Read(With("""{"openapi":"3.0.0","servers":[{"url":"https://a.example"}],"paths":{"/p":{"get":{"operationId":"@0"}}}}""", operationId)).Single().Name);

    [Fact]
    public void EqualNames_AreToldApart()
    {
        var paths = string.Join(",", Enumerable.Range(0, 11).Select(i => With(""" "/@0":{"get":{"operationId":"@1"}} """, i, new string('x', 45))));
        var names = Read(With("""{"openapi":"3.1.0","servers":[{"url":"https://a.example"}],"paths":{@0}}""", paths)).Select(tool => tool.Name).ToList();
        Assert.Equal([new string('x', 40), new string('x', 38) + "_2"], names[..2]);
        Assert.Equal(new string('x', 37) + "_11", names[10]);
        Assert.Equal(11, names.Distinct().Count());
    }

    [Theory]
    [InlineData("", "The file is no valid YAML: *")]
    [InlineData("nonsense", "The file is no OpenAPI document: it must be an object in JSON or YAML.")]
    [InlineData("[]", "The file is no OpenAPI document: it must be an object in JSON or YAML.")]
    [InlineData("{", "The file is no valid JSON: *")]
    [InlineData("{\"openapi\":\"3.0.0\",\"openapi\":\"3.0.0\"}", "The file is no valid JSON: *")]
    [InlineData("a: 1\na: 2", "The YAML key 'a' stands twice (line 2).")]
    [InlineData("a: *b", "The YAML alias '*b' has no anchor before it.")]
    [InlineData("a: &a [*a]", "The YAML alias '*a' has no anchor before it.")]
    [InlineData("a: 1\n---\nb: 2", "The file holds more than one YAML document.")]
    [InlineData("? [a]\n: 1", "A key of the YAML is not text.")]
    [InlineData("a:\n\t- b", "The file is no valid YAML: *")]
    [InlineData("<<: 1", "A YAML merge key ('<<') takes a mapping.")]
    [InlineData("{\"swagger\":\"2.0\"}", "Swagger 2.0 is not supported: convert the file to OpenAPI 3.0 or 3.1.")]
    [InlineData("openapi: 4.0.0", "The file is no OpenAPI document of version 3.0 or 3.1: its 'openapi' field says so first.")]
    [InlineData("openapi: 3.0", "The document has no operations.")]
    [InlineData("{\"openapi\":\"3.0.0\",\"x\":\"\\ud800\"}", "The file holds text that is not valid Unicode, or U+0000.")]
    [InlineData("{\"openapi\":\"3.0.0\",\"x\":\"\\u0000\"}", "The file holds text that is not valid Unicode, or U+0000.")]
    [InlineData("{\"openapi\":\"3.0.0\",\"x\":1e999}", "A number in the file is out of range.")]
    [InlineData("{\"openapi\":\"3.0.0\",\"paths\":{\"/a\":{\"$ref\":\"http://evil.example/a.json\"}}}", "The reference 'http://evil.example/a.json' leads out of the document; only references into it ('#/...') are followed.")]
    [InlineData("{\"openapi\":\"3.0.0\",\"paths\":{\"/a\":{\"$ref\":\"#/b\"}},\"b\":{\"$ref\":\"#/paths/~1a\"}}", "The reference '#/*' leads in a circle.")]
    [InlineData("{\"openapi\":\"3.0.0\",\"paths\":{\"/a\":{\"$ref\":\"#/nowhere/at/all\"}}}", "The reference '#/nowhere/at/all' leads to nothing.")]
    public void AFileThatIsNoDocument_IsRefused(string file, string problem) => AssertMatches(problem, Assert.Single(Problems(file)));

    [Theory]
    [InlineData("{}", "GET /p: The document names no server: 'servers' must hold an absolute URL.", "")]
    [InlineData("{}", "GET /p: '/v1/p' is no absolute http or https URL; the document's 'servers' must name one.", "/v1")]
    [InlineData("{}", "GET /p: 'file:///etc/p' is no absolute http or https URL; *", "file:///etc")]
    [InlineData("{}", "GET /p: 'https://u:p@a.example/p' is no absolute http or https URL; *", "https://u:p@a.example")]
    [InlineData("{}", "GET /p: The server variable 'v' has no default.", "https://{v}.example")]
    [InlineData("""{"parameters":[{"name":"s","in":"cookie","required":true}]}""", "GET /p: Its parameter 's' is required in the cookie, where a tool sends nothing.")]
    [InlineData("""{"parameters":[{"in":"query"}]}""", "GET /p: One of its parameters has no 'name' or no 'in'.")]
    [InlineData("""{"parameters":[{"name":"a","in":"query","required":true},{"name":"a","in":"header","required":true}]}""", "GET /p: Two of its required parameters are named 'a'.")]
    [InlineData("""{"requestBody":{"required":true,"content":{"multipart/form-data":{}}}}""", "GET /p: Its body is required and not JSON (multipart/form-data).")]
    [InlineData("""{"requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"array"}}}}}""", "GET /p: Its body is required and no JSON object with named properties.")]
    [InlineData("""{"requestBody":{"$ref":"other.yaml#/a"}}""", "GET /p: The reference 'other.yaml#/a' leads out of the document; *")]
    [InlineData("""{"security":[{"none":[]}]}""", "GET /p: The security scheme 'none' is not defined.")]
    public void AnOperationThatCannotBeATool_IsNamed(string operation, string problem, string server = "https://a.example")
    {
        var file = With("""{"openapi":"3.1.0","servers":[{"url":"@0"}],"paths":{"/p":{"get":@1},"/good":{"get":{"servers":[{"url":"https://b.example"}]}}}}""", server, operation);
        AssertMatches(problem, Assert.Single(Problems(file)));
    }

    [Fact]
    public void MoreOperationsThanAllowed_AreRefused()
    {
        var paths = string.Join(",", Enumerable.Range(0, 10_000).Select(i => With(""" "/@0":{"get":{}} """, i)));
        Assert.Equal(["The document has more than 200 operations."], Problems(With("""{"openapi":"3.1.0","paths":{@0}}""", paths)));
    }

    [Fact]
    public async Task WhatWouldGrow_IsRefusedInABoundedTime()
    {
        foreach (var (kind, file) in Bombs())
        {
            var problems = await Task.Run(() => Problems(file), TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.True(problems.Count > 0, kind);
        }
    }

    private static IEnumerable<(string Kind, string File)> Bombs()
    {
        var laughs = string.Join("\n", Enumerable.Range(1, 30).Select(i => $"l{i}: &l{i} [*l{i - 1}, *l{i - 1}, *l{i - 1}, *l{i - 1}, *l{i - 1}, *l{i - 1}, *l{i - 1}, *l{i - 1}, *l{i - 1}]"));
        yield return ("aliases of aliases", $"openapi: 3.0.0\nl0: &l0 lol\n{laughs}\n");
        yield return ("aliases of a long text", $"openapi: 3.0.0\nt: &t {new string('x', 500_000)}\nu: [{string.Join(", ", Enumerable.Repeat("*t", 100_000))}]\n");
        var merges = string.Join("\n", Enumerable.Range(1, 3_000).Select(i => $"m{i}: &m{i} {{<<: *m{i - 1}, k{i}: 1}}"));
        yield return ("merges of merges", $"openapi: 3.0.0\nm0: &m0 {{a: 1}}\n{merges}\n");
        yield return ("deep JSON", new string('{', 1).PadRight(2) + "\"openapi\":\"3.0.0\",\"a\":" + new string('[', 1 << 20));
        yield return ("deep YAML flow", "a: " + new string('[', 1 << 20));
        yield return ("deep YAML flow mappings", "a: " + string.Concat(Enumerable.Repeat("{a: ", 1 << 18)));
        yield return ("deep YAML blocks", string.Join("\n", Enumerable.Range(0, 1_500).Select(i => new string(' ', i) + "a:")));
        yield return ("deep YAML sequences", string.Concat(Enumerable.Repeat("- ", 1 << 19)) + "a");
        yield return ("YAML keys without values", "a: 1\n" + string.Concat(Enumerable.Repeat("? ", 1 << 19)));
        yield return ("YAML quotes", "a: " + string.Concat(Enumerable.Repeat("\"", (1 << 20) + 1)));
        yield return ("YAML tags", string.Concat(Enumerable.Repeat("!a ", 1 << 19)) + ": [");
        yield return ("long YAML line", "{ " + new string('a', 2 << 20) + " ,");
        const string next = """{"$ref":"#/components/schemas/S@1"}""";
        var doubling = Chain(With(""" "S@0":{"type":"object","properties":{"a":@2,"b":@2,"c":@2,"d":@2}} """, "@0", "@1", next));
        yield return ("schemas that double", Operation("""{"$ref":"#/components/schemas/S0"}""", doubling + """, "S40":{"type":"string"} """));
        var parts = Chain(With(""" "S@0":{"allOf":[@2,@2,@2,@2,@2]} """, "@0", "@1", next));
        yield return ("parts that double", Operation("""{"$ref":"#/components/schemas/S0"}""", parts + """, "S40":{"properties":{"a":{}}} """));
        var many = With("""{"properties":{@0}}""", string.Join(",", Enumerable.Range(0, 90).Select(i => With(""" "p@0":{"$ref":"#/components/schemas/E"} """, i))));
        yield return ("a long list, often", Operation(many, With(""" "E":{"enum":[@0]} """, string.Join(",", Enumerable.Repeat("1", 200_000)))));
        yield return ("a long text, often", Operation(many, With(""" "E":{"description":"@0"} """, new string('x', 1_000_000))));
        yield return ("a pattern of patterns", Operation("""{"type":"array"}""", """ "E":{"pattern":"((((a{1,100}){1,100}){1,100}){1,100}){1,100}"} """));
    }

    private static string Chain(string link) => string.Join(",", Enumerable.Range(0, 40).Select(i => With(link, i, i + 1)));

    /// <summary>Puts values for <c>@0</c>, <c>@1</c>, ...: the documents have too many braces to be interpolated.</summary>
    private static string With(string text, params object[] values)
    {
        for (var i = values.Length - 1; i >= 0; i--) text = text.Replace($"@{i}", $"{values[i]}", StringComparison.Ordinal);
        return text;
    }

    private static string Operation(string body, string schemas)
        => "{\"openapi\":\"3.1.0\",\"servers\":[{\"url\":\"https://a.example\"}],\"paths\":{\"/p\":{\"post\":{\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":"
           + body + "}}}}}},\"components\":{\"schemas\":{" + schemas + "}}}";

    [Fact]
    public void WhateverTheFile_ToolsThatKeepTheRulesOrAProblem() => Prop.ForAll(Damaged().ToArbitrary(), file =>
    {
        try
        {
            foreach (var tool in OpenApiImport.Read(file, 200)) AssertUsable(tool);
        }
        catch (InvalidInputException problem)
        {
            Assert.NotEmpty(Problems(problem));
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    private static void AssertUsable(ToolDraft tool)
    {
        var errors = new InputErrors();
        ToolDefinitionRules.Check(tool.Definition, errors);
        Assert.False(errors.Any);
        Assert.Matches("^[a-zA-Z0-9_-]{1,40}$", tool.Name);
        Assert.NotNull(JsonSerializer.Deserialize<JsonNode>(ToolStore.ToJson(tool.Definition), WireJson.Options));
    }

    /// <summary>The two documents with some of their bytes replaced, doubled, moved or cut, and with their values exchanged for one another.</summary>
    private static Gen<byte[]> Damaged()
    {
        byte[][] whole = [File.ReadAllBytes(Document("petstore.yaml")), File.ReadAllBytes(Document("orders.json"))];
        byte[][] pieces = [.. new[] { "{", "}", "[", "]", ":", "\n", "- ", "&a ", "*a", "<<: ", "!!int ", "|", ">", "? ", "#", "'", "\"", "null", "1e5", "$ref", "#/components/schemas/Pet", "\\u0000", "\t", "---\n", "%YAML", "~1", "\ud83d\ude00" }
            .Select(Encoding.UTF8.GetBytes)];
        var change = from at in Gen.Choose(0, 1_000_000)
                     from length in Gen.Frequency((4, Gen.Choose(0, 3)), (1, Gen.Choose(0, 400)))
                     from piece in Gen.OneOf(Gen.Elements(pieces), from start in Gen.Choose(0, 1_000_000) from size in Gen.Choose(1, 80) select Part(whole[start % 2], start, size))
                     select (at, length, piece);
        return from document in Gen.Elements(whole)
               from changes in Gen.ListOf(change).Select(list => list.Take(4).ToList())
               select changes.Aggregate(document, (bytes, c) =>
               {
                   var at = c.at % (bytes.Length + 1);
                   return [.. bytes[..at], .. c.piece, .. bytes[Math.Min(bytes.Length, at + c.length)..]];
               });
    }

    private static byte[] Part(byte[] bytes, int start, int size)
    {
        var at = start % bytes.Length;
        return bytes[at..Math.Min(bytes.Length, at + size)];
    }

    private static IReadOnlyList<ToolDraft> Read(string file) => OpenApiImport.Read(Encoding.UTF8.GetBytes(file), 200);

    private static List<string> Problems(string file)
    {
        try
        {
            Read(file);
            return [];
        }
        catch (InvalidInputException problem)
        {
            return Problems(problem);
        }
    }

    private static List<string> Problems(InvalidInputException problem) => [.. problem.Errors.ToJson()["file"]!.AsArray().Select(text => text!.GetValue<string>())];

    private static void AssertMatches(string pattern, string text)
    {
        var (start, end) = pattern.Split('*') is [var a, var b] ? (a, b) : (pattern, "");
        if (pattern.Contains('*')) Assert.True(text.StartsWith(start, StringComparison.Ordinal) && text.EndsWith(end, StringComparison.Ordinal), text);
        else Assert.Equal(pattern, text);
    }

    private static string Describe(IReadOnlyList<ToolDraft> tools)
    {
        var text = new StringBuilder();
        foreach (var tool in tools)
        {
            Assert.Equal(tool.Name, tool.Definition.ModelToolName);
            text.Append(tool.Name).Append("\n  ").Append(tool.Definition.Http!.HttpMethod).Append(' ').Append(tool.Definition.Http.BaseUrlPattern)
                .Append("\n  ").Append(tool.Definition.Description!.Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
            foreach (var parameter in tool.Definition.DynamicParameters!)
            {
                text.Append("  ").Append(parameter.Location!.Value.ToString().ToLowerInvariant()).Append(' ').Append(parameter.Name).Append(parameter.Required == true ? "! " : " ")
                    .Append(parameter.Schema!.ToJsonString(WireJson.Options)).Append('\n');
            }
            if (tool.Definition.Requirements?.HttpSecurityOptions?.Options is { } options) text.Append("  ").Append(JsonSerializer.Serialize(options, WireJson.Sparse)).Append('\n');
        }
        return text.ToString().TrimEnd('\n');
    }

    internal static string Document(string name) => Path.Combine(AppContext.BaseDirectory, "Tools", "Documents", name);
}
