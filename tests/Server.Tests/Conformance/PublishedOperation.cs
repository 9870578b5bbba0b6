using System.Text.Json.Nodes;
using VoiceGrains.Server.Tests.Contract;

namespace VoiceGrains.Server.Tests.Conformance;

/// <summary>One method of one path of the published description.</summary>
/// <param name="Query">Its query parameters: name, schema.</param>
/// <param name="Body">The schema of its JSON body; null when it takes none.</param>
/// <param name="Answers">By status (or <c>default</c>), what each content type holds.</param>
internal sealed record PublishedOperation(
    string Method, string Path, IReadOnlyList<(string Name, JsonObject Schema)> Query, JsonObject? Body,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonObject>> Answers)
{
    public static IReadOnlyList<PublishedOperation> All { get; } =
    [
        .. from path in OpenApiContract.Root["paths"]!.AsObject()
           from operation in path.Value!.AsObject()
           where operation.Key is "get" or "post" or "put" or "patch" or "delete"
           select Read(operation.Key.ToUpperInvariant(), path.Key, operation.Value!.AsObject()),
    ];

    /// <summary>As <c>GET /api/calls/{}</c>: what parameters are called is nobody's business.</summary>
    public string Id => $"{Method} {Normal(Path)}";

    public static string Normal(string path)
        => "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(segment => segment[0] == '{' ? "{}" : segment));

    /// <summary>What an answer of this status may hold; null for a status that is not described.</summary>
    public IReadOnlyDictionary<string, JsonObject>? AnswerOf(int status)
        => Answers.GetValueOrDefault($"{status}") ?? (status < 300 ? Answers.GetValueOrDefault("default") : null);

    public override string ToString() => $"{Method} {Path}";

    private static PublishedOperation Read(string method, string path, JsonObject operation) => new(
        method, path,
        [
            .. from parameter in operation["parameters"]?.AsArray() ?? []
               where (string?)parameter!["in"] == "query"
               select ((string)parameter["name"]!, parameter["schema"]!.AsObject()),
        ],
        operation["requestBody"]?["content"]?["application/json"]?["schema"]?.AsObject(),
        operation["responses"]!.AsObject().ToDictionary(
            answer => answer.Key,
            answer => Contents(answer.Value!["content"]?.AsObject() ?? [])));

    private static IReadOnlyDictionary<string, JsonObject> Contents(JsonObject contents)
        => contents.ToDictionary(content => content.Key, content => content.Value!["schema"]?.AsObject() ?? []);
}
