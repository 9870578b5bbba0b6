using System.Reflection;
using System.Text;
using Orleans;

namespace VoiceGrains.GrainRuntime.Tests.OrleansMembers;

/// <summary>
/// Holds our part of Orleans against the real one: what we declare in an Orleans namespace must exist in Orleans.Core.Abstractions with the
/// same signature, or be listed here as living in another Orleans assembly. The result is written to docs/orleans-members.md.
/// </summary>
public sealed class OrleansMembersTests
{
    /// <summary>Types that Orleans keeps in assemblies that are not compared here.</summary>
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["Orleans.Runtime.IPersistentState`1"] = "Orleans.Runtime",
        ["Orleans.Runtime.PersistentStateAttribute"] = "Orleans.Runtime",
        ["Orleans.Storage.InconsistentStateException"] = "Orleans.Core",
        ["Orleans.IRemindable"] = "Orleans.Reminders.Abstractions",
        ["Orleans.GrainReminderExtensions"] = "Orleans.Reminders",
        ["Orleans.Runtime.IGrainReminder"] = "Orleans.Reminders.Abstractions",
        ["Orleans.Runtime.TickStatus"] = "Orleans.Reminders.Abstractions",
        ["Orleans.GrainStreamingExtensions"] = "Orleans.Streaming",
        ["Orleans.Runtime.StreamId"] = "Orleans.Streaming.Abstractions",
        ["Orleans.Streams.AsyncObservableExtensions"] = "Orleans.Streaming.Abstractions",
        ["Orleans.Streams.IAsyncObservable`1"] = "Orleans.Streaming.Abstractions",
        ["Orleans.Streams.IAsyncObserver`1"] = "Orleans.Streaming.Abstractions",
        ["Orleans.Streams.IAsyncStream"] = "Orleans.Streaming.Abstractions",
        ["Orleans.Streams.IAsyncStream`1"] = "Orleans.Streaming.Abstractions",
        ["Orleans.Streams.IStreamProvider"] = "Orleans.Streaming.Abstractions",
        ["Orleans.Streams.StreamSequenceToken"] = "Orleans.Streaming.Abstractions",
        ["Orleans.Streams.StreamSubscriptionHandle`1"] = "Orleans.Streaming.Abstractions",
    };

    private static readonly Dictionary<string, ApiType> Ours = AssemblyApi.Read(typeof(Grain).Assembly.Location)
        .Where(type => type.Value.Namespace is "Orleans" || type.Value.Namespace.StartsWith("Orleans.", StringComparison.Ordinal))
        .ToDictionary(StringComparer.Ordinal);

    private static readonly Dictionary<string, ApiType> Real = AssemblyApi.Read(Metadata("OrleansAssembly"));

    [Fact]
    public void EveryTypeInAnOrleansNamespace_IsOneThatOrleansHas()
    {
        Assert.NotEmpty(Ours);
        Assert.DoesNotContain(Ours.Keys, name => !Real.ContainsKey(name) && !Elsewhere.ContainsKey(name));
        // The list of exceptions must not hide a type that can be compared, nor outlive one.
        Assert.DoesNotContain(Elsewhere.Keys, name => Real.ContainsKey(name) || !Ours.ContainsKey(name));
    }

    [Fact]
    public void EveryMember_HasTheSignatureOfOrleans() => Assert.Empty(Differences(Ours, Real));

    [Fact]
    public void Comparison_SeesMissingAndDifferentMembers()
    {
        var grain = Real["Orleans.Grain"];
        var cut = new Dictionary<string, ApiType>(Real)
        {
            ["Orleans.Grain"] = grain with { Members = grain.Members.Remove("protected System.Void DeactivateOnIdle()") },
            ["Orleans.IGrainFactory"] = Real["Orleans.IGrainFactory"] with { Declaration = "abstract class IGrainFactory" },
            ["Orleans.IGrain"] = Real["Orleans.IGrain"] with { Interfaces = [] },
        };

        Assert.Equal(
            [
                "Orleans.Grain: Orleans has no 'protected System.Void DeactivateOnIdle()'",
                "Orleans.IGrain: Orleans does not implement Orleans.Runtime.IAddressable",
                "Orleans.IGrainFactory: 'interface IGrainFactory' is 'abstract class IGrainFactory' in Orleans",
            ],
            Differences(Ours, cut));
    }

    [Fact]
    public void Document_IsUpToDate()
    {
        var path = Metadata("MembersDocument");
        var document = Document();
        var committed = File.Exists(path) ? File.ReadAllText(path) : "";
        if (committed != document)
        {
            File.WriteAllText(path, document);
            Assert.Fail($"{Path.GetFullPath(path)} was out of date and has been written anew: commit it.");
        }
    }

    private static List<string> Differences(Dictionary<string, ApiType> ours, Dictionary<string, ApiType> real) =>
        [.. ours.Where(type => real.ContainsKey(type.Key)).SelectMany(type => Differences(type.Key, type.Value, real[type.Key])).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Differences(string name, ApiType ours, ApiType real)
    {
        if (ours.Declaration != real.Declaration)
            yield return $"{name}: '{ours.Declaration}' is '{real.Declaration}' in Orleans";
        foreach (var contract in ours.Interfaces.Except(real.Interfaces))
            yield return $"{name}: Orleans does not implement {contract}";
        foreach (var member in ours.Members.Except(real.Members))
            yield return $"{name}: Orleans has no '{member}'";
    }

    private static string Document()
    {
        var text = new StringBuilder("""
            # Orleans members

            The part of Orleans' programming model that `grain-runtime` has, in Orleans' own namespaces. Where Microsoft.Orleans can be
            restored, the grains compile and run on it: add nothing here that it does not have.

            Generated by `OrleansMembersTests`, which compares each type with the metadata of Microsoft.Orleans.Core.Abstractions 10.4.2. Types
            of other Orleans assemblies are listed with the assembly and are not compared. Missing members are those that no grain needs yet.

            """);
        foreach (var space in Ours.Values.GroupBy(type => type.Namespace).OrderBy(space => space.Key, StringComparer.Ordinal))
        {
            text.Append($"\n## {space.Key}\n\n| type | assembly in Orleans | members here / in Orleans |\n|---|---|---|\n");
            foreach (var type in space.OrderBy(type => type.Name, StringComparer.Ordinal))
            {
                var name = $"{type.Namespace}.{type.Name}";
                var (assembly, total) = Real.TryGetValue(name, out var real) ? ("Orleans.Core.Abstractions", $"{real.Members.Count}") : (Elsewhere[name], "not compared");
                text.Append($"| `{type.Declaration}` | {assembly} | {type.Members.Count} / {total} |\n");
            }
            foreach (var type in space.Where(type => type.Members.Count > 0).OrderBy(type => type.Name, StringComparer.Ordinal))
                text.Append($"\n### {type.Name}\n\n```csharp\n{string.Join('\n', type.Members)}\n```\n");
        }
        return text.ToString();
    }

    private static string Metadata(string key) =>
        typeof(OrleansMembersTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
