using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Conformance;

/// <summary>What the requests of one operation came to.</summary>
/// <param name="Checked">Answers that were held against the description.</param>
internal sealed record OperationResult(PublishedOperation Operation, bool IsServed, int Sent, int Accepted, int Refused, int Checked, IReadOnlyList<string> Failures);

/// <summary>Sends every request of every operation and judges the answers.</summary>
internal sealed class ConformanceRun(ConformanceWorld world)
{
    private const int Parallel = 6;

    /// <summary>A server that charges nobody has none.</summary>
    private const string WithoutInvoices = "GET /api/accounts/me/billing/invoices";

    private readonly ConcurrentQueue<(PublishedOperation Operation, Verdict Verdict)> verdicts = [];

    public async Task<IReadOnlyList<OperationResult>> RunAsync()
    {
        var samples = new Samples(world.Facts);
        var requests = PublishedOperation.All.SelectMany(operation => Cases(operation, samples).Select(request => (operation, request))).ToList();
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = SiloFixture.Cancel };
        await System.Threading.Tasks.Parallel.ForEachAsync(requests, options, async (pair, _) => verdicts.Enqueue((pair.operation, await SendAsync(pair.operation, pair.request))));
        var byOperation = verdicts.ToLookup(pair => pair.Operation, pair => pair.Verdict);
        return [.. PublishedOperation.All.Select(operation => Sum(operation, [.. byOperation[operation]]))];
    }

    private IEnumerable<ConformanceCase> Cases(PublishedOperation operation, Samples samples)
    {
        if (world.IsServed(operation)) return ConformanceCase.Of(operation, world, samples);
        return [new("not served", world.Paths(operation)[0], Json: operation.Method is "GET" or "DELETE" ? null : "{}")];
    }

    private OperationResult Sum(PublishedOperation operation, IReadOnlyList<Verdict> of) => new(
        operation, world.IsServed(operation), of.Count, of.Count(v => v.IsAccepted), of.Count(v => v.IsRefused), of.Count(v => v.IsChecked),
        [.. of.Select(v => v.Problem).Append(ProblemOfLists(operation, of)).OfType<string>().Order(StringComparer.Ordinal)]);

    /// <summary>Lists without anything in them would prove nothing.</summary>
    private static string? ProblemOfLists(PublishedOperation operation, IReadOnlyList<Verdict> of)
        => operation.Id != WithoutInvoices && of.Any(v => v.ListLength is not null) && of.All(v => v.ListLength is null or 0) ? $"{operation}: every list was empty." : null;

    private async Task<Verdict> SendAsync(PublishedOperation operation, ConformanceCase request)
    {
        var path = "";
        var (client, isOwn) = await world.ClientAsync(operation);
        try
        {
            path = await request.Path() + request.Query;
            using var message = new HttpRequestMessage(new(operation.Method), path);
            if (request.Content is not null) message.Content = request.Content();
            else if (request.Json is { } json) message.Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
            using var reply = await client.Http.SendAsync(message, SiloFixture.Cancel);
            var body = await reply.Content.ReadAsByteArrayAsync(SiloFixture.Cancel);
            var verdict = Judge(operation, request, (int)reply.StatusCode, reply.Content.Headers.ContentType?.MediaType, body);
            if (verdict.Problem is null) return verdict;
            return verdict with { Problem = Tell(operation, request, path, $"{verdict.Problem}\n      answer: {(int)reply.StatusCode} {Short(body)}") };
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or KeyNotFoundException or Xunit.Sdk.XunitException)
        {
            return new() { Problem = Tell(operation, request, path, failure.Message) };
        }
        finally
        {
            if (isOwn) client.Dispose();
        }
    }

    private Verdict Judge(PublishedOperation operation, ConformanceCase request, int status, string? type, byte[] body)
    {
        if (!world.IsServed(operation)) return JudgeUnserved(status, body);
        if (request.Refused is { } field)
        {
            if (status != 400) return new() { Problem = "It must be refused with 400." };
            return Names(JsonDocument.Parse(body).RootElement, field) ? new() { IsRefused = true } : new() { Problem = $"The refusal does not name {string.Join('.', field)}." };
        }
        if (status >= 400) return new() { Problem = "It must be accepted." };
        if (operation.AnswerOf(status) is not { } contents) return new() { Problem = "The status is not described." };
        if (contents.Count == 0) return new() { IsAccepted = true, IsChecked = true };
        if (!contents.TryGetValue(type ?? "", out var schema) && !contents.TryGetValue("*/*", out schema)) return new() { Problem = $"The content type {type} is not described." };
        var json = type?.EndsWith("json", StringComparison.Ordinal) == true ? JsonDocument.Parse(body).RootElement : (JsonElement?)null;
        var problems = json is { } given ? SchemaJudge.Problems(given, schema) : type == "audio/wav" && !body.AsSpan().StartsWith("RIFF"u8) ? ["no WAV"] : [];
        return new() { IsAccepted = true, IsChecked = problems.Count == 0, ListLength = LengthOf(json), Problem = problems.Count == 0 ? null : string.Join("; ", problems) };
    }

    private static int? LengthOf(JsonElement? answer) => answer switch
    {
        { ValueKind: JsonValueKind.Array } list => list.GetArrayLength(),
        { ValueKind: JsonValueKind.Object } page when page.TryGetProperty("results", out var results) => results.GetArrayLength(),
        _ => null,
    };

    private static Verdict JudgeUnserved(int status, byte[] body)
    {
        if (status != 501) return new() { Problem = "What is not served is answered 501." };
        var reply = JsonDocument.Parse(body).RootElement;
        var (code, detail) = (reply.GetProperty("code").GetString(), reply.GetProperty("detail").GetString()!);
        return code == "not_implemented" && detail.EndsWith("not served by this version yet.", StringComparison.Ordinal) ? new() { IsRefused = true } : new() { Problem = "The body does not tell why." };
    }

    /// <summary>Whether an error tree has messages at a path. Items of a list of values may be told of at the list.</summary>
    private static bool Names(JsonElement errors, IReadOnlyList<string> path)
    {
        foreach (var part in path)
        {
            var isIndex = int.TryParse(part, out var index);
            if (errors.ValueKind == JsonValueKind.Object && errors.TryGetProperty(part, out var field)) errors = field;
            else if (isIndex && errors.ValueKind == JsonValueKind.Array && index < errors.GetArrayLength() && errors[index].ValueKind == JsonValueKind.Object) errors = errors[index];
            else return isIndex && errors.ValueKind == JsonValueKind.Array && IsTold(errors);
        }
        return IsTold(errors);
    }

    private static bool IsTold(JsonElement errors) => errors.ValueKind switch
    {
        JsonValueKind.Array => errors.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String || IsTold(item)),
        JsonValueKind.Object => errors.EnumerateObject().Any(field => IsTold(field.Value)),
        _ => false,
    };

    private static string Tell(PublishedOperation operation, ConformanceCase request, string path, string problem)
        => $"{operation} ({request.What})\n      request: {operation.Method} {path} {Short(request.Json ?? "")}\n      {problem}";

    /// <summary>Sound is no reading.</summary>
    private static string Short(byte[] body) => body.AsSpan().ContainsAnyInRange((byte)0, (byte)8) ? $"{body.Length} bytes" : Short(Encoding.UTF8.GetString(body));

    private static string Short(string text) => text.Length <= 700 ? text : text[..700] + "…";

    private sealed record Verdict
    {
        public bool IsAccepted { get; init; }
        public bool IsRefused { get; init; }
        public bool IsChecked { get; init; }
        /// <summary>How much is in it; null for what is no list.</summary>
        public int? ListLength { get; init; }
        public string? Problem { get; init; }
    }
}
