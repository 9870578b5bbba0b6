using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Conformance;

/// <summary>Every operation of the published description against a real server, and the page that tells how it went.</summary>
public sealed class ConformanceTests(LiveSilo silo)
{
    private const int MostTold = 100;

    [Fact]
    public async Task EveryPublishedOperation_DoesWhatItsDescriptionSays_AndTheDocumentTellsSo()
    {
        await using var world = await ConformanceWorld.CreateAsync(silo);
        var results = await new ConformanceRun(world).RunAsync();
        var page = ConformanceReport.Write(results);
        TestContext.Current.TestOutputHelper?.WriteLine(page);

        var failures = results.SelectMany(result => result.Failures).ToList();
        Assert.True(failures.Count == 0, $"{failures.Count} requests went wrong:\n{string.Join('\n', failures.Take(MostTold))}");
        Assert.Equal(114, results.Count);
        var (file, cancel) = (ConformanceReport.File(), TestContext.Current.CancellationToken);
        if (Environment.GetEnvironmentVariable(ConformanceReport.WriteVariable) is { Length: > 0 }) await File.WriteAllTextAsync(file, page, cancel);
        Assert.True(
            page == await File.ReadAllTextAsync(file, cancel),
            $"docs/conformance.md is not what this run gives. To write it anew: {ConformanceReport.WriteVariable}=1 ./test {nameof(ConformanceTests)}");
    }
}
