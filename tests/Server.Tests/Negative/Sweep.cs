using System.Collections.Concurrent;

namespace VoiceGrains.Server.Tests.Negative;

/// <summary>Many requests at once, and what was wrong with their answers by operation.</summary>
internal sealed class Sweep(NegativeHost host)
{
    private const int AtOnce = 16, ShownPerOperation = 4;

    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> failures = new(StringComparer.Ordinal);
    private int asked;

    /// <summary>Sends each probe and judges its answer, first as any answer, then by the probe's own rule.</summary>
    public async Task RunAsync(IEnumerable<Probe> probes)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken };
        await Parallel.ForEachAsync(probes, options, async (probe, cancellationToken) =>
        {
            Interlocked.Increment(ref asked);
            try
            {
                var answer = await host.SendAsync(probe, cancellationToken);
                var problem = AnswerJudge.Problem(probe.Operation, answer, host.Secrets) ?? probe.Judge(answer);
                if (problem is not null) Fail(probe.Operation, $"{probe}: {answer.Status} {Short(answer.Text)} {problem}");
            }
            catch (HttpRequestException broken)
            {
                Fail(probe.Operation, $"{probe}: no answer, {broken.Message}");
            }
        });
    }

    public void Fail(ApiOperation operation, string problem) => failures.GetOrAdd($"{operation}", _ => []).Enqueue(problem);

    /// <summary>Fails with all that is wrong, a few examples for each operation.</summary>
    public void AssertClean()
    {
        Assert.True(asked > 0, "Nothing was asked.");
        var report = failures.OrderBy(f => f.Key, StringComparer.Ordinal)
            .Select(f => $"{f.Key}: {f.Value.Count}\n    {string.Join("\n    ", f.Value.Take(ShownPerOperation))}");
        Assert.True(failures.IsEmpty, $"{failures.Count} operations of {asked} requests:\n{string.Join('\n', report)}");
    }

    private static string Short(string text) => text.Length <= 300 ? text : text[..300] + "…";
}

/// <summary>One request and what must hold of its answer.</summary>
/// <param name="Path">With the query, escaped.</param>
/// <param name="Judge">Null when the answer is right.</param>
internal sealed record Probe(ApiOperation Operation, string Path, Func<Answer, string?> Judge)
{
    /// <summary>When it is not the operation's own.</summary>
    public string? Method { get; init; }
    public string? Key { get; init; }
    public HttpContent? Body { get; init; }
    public (string Name, string Value)[] Headers { get; init; } = [];
    public string Note { get; init; } = "";

    public override string ToString() => $"{Method ?? Operation.Method} {(Path.Length > 200 ? Path[..200] + "…" : Path)} {(Note.Length > 300 ? Note[..300] + "…" : Note)}";

    public static Func<Answer, string?> Is(params int[] statuses) => answer => statuses.Contains(answer.Status) ? null : $"is not {string.Join(" or ", statuses)}";

    /// <summary>Anything but a fault of the server, which every answer is judged by.</summary>
    public static string? Anything(Answer _) => null;

    public static Func<Answer, string?> Says(int status, string start)
        => answer => answer.Status == status && answer.Text.StartsWith(start, StringComparison.Ordinal) ? null : $"is not {status} {start}";
}
