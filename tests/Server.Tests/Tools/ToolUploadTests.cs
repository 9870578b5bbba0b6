using System.Net.Http.Headers;
using System.Text;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Tools;

/// <summary>OpenAPI files, uploaded as the published description says: <c>multipart/form-data</c> with a <c>file</c>.</summary>
public sealed class ToolUploadTests(SiloFixture silo)
{
    private const string Single = """{"openapi":"3.0.0","servers":[{"url":"https://a.example"}],"paths":{"/a":{"get":{"operationId":"one","description":"It's one."}}}}""";

    [Fact]
    public async Task AFile_BecomesItsTools_InItsOrder()
    {
        using var client = await silo.CreateClientAsync();
        var made = await UploadAsync(client, await File.ReadAllBytesAsync(OpenApiImportTests.Document("petstore.yaml"), SiloFixture.Cancel));
        Assert.True(made.Status == 201, made.Text);
        foreach (var tool in made.Json.EnumerateArray()) await OpenApiContract.AssertMatchesAsync("Tool", tool);
        var names = made.Json.EnumerateArray().Select(tool => tool.GetProperty("name").GetString()).ToList();
        Assert.Equal(["listPets", "pets_create", "replacePet", "delete_pets_id", "get_pets_id_toys_toy"], names);

        var listed = await client.GetAsync("/api/tools?ownership=private&sortOrder=chronologic");
        Assert.Equal(made.Text, listed.Json.GetProperty("results").GetRawText());
        var call = await client.PostAsync("/api/calls", """{"selectedTools":[{"toolName":"listPets","authTokens":{"petKey":"k"}},{"toolName":"replacePet"}]}""");
        Assert.True(call.Status == 201, call.Text);
    }

    [Fact]
    public async Task AFileWithOneOperation_IsAnsweredAsDescribed()
    {
        using var client = await silo.CreateClientAsync();
        var made = await UploadAsync(client, Encoding.UTF8.GetBytes(Single));
        Assert.True(made.Status == 201, made.Text);
        await OpenApiContract.AssertMatchesAsync("Tool", made.Json);
        Assert.Equal(made.Text, (await client.GetAsync($"/api/tools/{made.Json.GetProperty("toolId").GetString()}")).Text);
    }

    [Fact]
    public async Task AFileThatNotAllOfFits_StoresNothing_AndTellsOfEachOperation()
    {
        using var client = await silo.CreateClientAsync();
        const string half = """
            openapi: 3.1.0
            servers: [{url: 'https://a.example'}]
            paths:
              /a: {get: {operationId: good}}
              /b: {post: {requestBody: {required: true, content: {text/csv: {}}}}}
              /c: {get: {security: [{missing: []}]}}
            """;
        var refused = await UploadAsync(client, Encoding.UTF8.GetBytes(half));
        Assert.Equal((400, """{"file":["POST /b: Its body is required and not JSON (text/csv).","GET /c: The security scheme 'missing' is not defined."]}"""), (refused.Status, refused.Text));

        await client.PostAsync("/api/tools", ToolEndpointTests.Client("good"));
        var taken = await UploadAsync(client, Encoding.UTF8.GetBytes("""{"openapi":"3.0.0","servers":[{"url":"https://a.example"}],"paths":{"/a":{"get":{"operationId":"good"},"put":{}}}}"""));
        Assert.Equal((400, """{"file":["GET /a, as 'good': Another tool has this name."]}"""), (taken.Status, taken.Text));
        Assert.Equal(1, (await client.GetAsync("/api/tools?ownership=private")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task ADefinitionThatIsTooLarge_IsNamed()
    {
        using var client = await silo.CreateClientAsync();
        var file = """{"openapi":"3.0.0","servers":[{"url":"https://a.example"}],"paths":{"/a":{"get":{"parameters":[{"name":"a","in":"query","description":"LONG"}]}}}}"""
            .Replace("LONG", new string('x', 131_072), StringComparison.Ordinal);
        var refused = await UploadAsync(client, Encoding.UTF8.GetBytes(file));
        Assert.Equal((400, """{"file":["GET /a, as 'get_a': A definition may have 131072 bytes of JSON."]}"""), (refused.Status, refused.Text));
    }

    [Fact]
    public async Task AFileThatIsTooLarge_413_WhetherItsLengthIsToldOrNot()
    {
        using var client = await silo.CreateClientAsync();
        var large = new byte[(2 << 20) + 1];
        Array.Fill(large, (byte)' ');
        Assert.Equal(413, (await UploadAsync(client, large)).Status);
        using var form = Form(large, "file");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/tools") { Content = form, Headers = { TransferEncodingChunked = true } };
        using var reply = await client.Http.SendAsync(request, SiloFixture.Cancel);
        var refused = await ApiReply.ReadAsync(reply);
        Assert.Equal((413, "The file exceeded the limit of 2097152 bytes."), (refused.Status, refused.Json.GetProperty("detail").GetString()));
    }

    [Theory]
    [InlineData("document", Single, """{"file":["No file was submitted."]}""")]
    [InlineData("file", "", """{"file":["The submitted file is empty."]}""")]
    [InlineData("file", "\0", """{"file":["*"]}""")]
    public async Task AFormWithoutTheFile_400(string field, string text, string problem)
    {
        using var client = await silo.CreateClientAsync();
        var refused = await UploadAsync(client, Encoding.UTF8.GetBytes(text), field);
        Assert.Equal(400, refused.Status);
        if (problem.Contains('*')) Assert.NotEmpty(refused.Json.GetProperty("file")[0].GetString()!);
        else Assert.Equal(problem, refused.Text);
    }

    [Theory]
    [InlineData("multipart/form-data", "x")]
    [InlineData("multipart/form-data; boundary=b", "no parts")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nhalf")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nnonsense\r\n\r\n--b--")]
    public async Task AFormThatIsNone_400(string type, string body)
    {
        using var client = await silo.CreateClientAsync();
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        using var reply = await client.Http.PostAsync("/api/tools", content, SiloFixture.Cancel);
        var refused = await ApiReply.ReadAsync(reply);
        Assert.Equal(400, refused.Status);
        Assert.StartsWith("Multipart form parse error - ", refused.Json.GetProperty("detail").GetString());
    }

    private static async Task<ApiReply> UploadAsync(ApiClient client, byte[] file, string field = "file")
    {
        using var form = Form(file, field);
        using var reply = await client.Http.PostAsync("/api/tools", form, SiloFixture.Cancel);
        return await ApiReply.ReadAsync(reply);
    }

    private static MultipartFormDataContent Form(byte[] file, string field) => new() { { new ByteArrayContent(file), field, "api.yaml" } };
}
