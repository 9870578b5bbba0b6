using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using VoiceGrains.Grains.Validation;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace VoiceGrains.Grains.Tools.OpenApi;

/// <summary>
/// Reads one YAML document as the JSON that it stands for (YAML 1.2, JSON schema: only <c>true</c>, <c>null</c> and JSON's numbers are no text). Aliases and
/// merge keys are followed under a budget, so that a few lines cannot grow into gigabytes.
/// </summary>
internal sealed partial class YamlText
{
    /// <summary>Levels of nesting.</summary>
    private const int Deepest = 64;

    /// <summary>Nodes that a document may have once its aliases are followed, where 32 characters of text count as one more.</summary>
    private const int MostWeight = 500_000;

    private readonly IParser parser;
    private readonly Dictionary<AnchorName, (JsonNode? Node, long Weight)> anchors = [];
    private long weight;

    private YamlText(IParser parser) => this.parser = parser;

    /// <exception cref="OpenApiException">It is no YAML, or more than is read.</exception>
    public static JsonNode? Read(string text)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            parser.Consume<DocumentStart>();
            var root = new YamlText(parser).ReadNode(1);
            parser.Consume<DocumentEnd>();
            if (!parser.Accept<StreamEnd>(out _)) throw new OpenApiException("The file holds more than one YAML document.");
            return root;
        }
        catch (YamlException problem)
        {
            throw new OpenApiException($"The file is no valid YAML: {problem.Message} (line {problem.Start.Line}, column {problem.Start.Column}).");
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException or OverflowException or FormatException or IndexOutOfRangeException)
        {
            throw new OpenApiException($"The file is no valid YAML: {problem.Message}");   // ways in which the scanner stumbles over rare nonsense
        }
    }

    private JsonNode? ReadNode(int depth)
    {
        if (depth > Deepest) throw new OpenApiException($"The file is nested deeper than {Deepest} levels.");
        var before = weight;
        Take(1);
        if (parser.TryConsume<AnchorAlias>(out var alias)) return Follow(alias);
        var start = parser.Current as NodeEvent ?? throw new OpenApiException("The file is no valid YAML.");
        var node = start switch
        {
            Scalar => ReadScalar(parser.Consume<Scalar>()),
            SequenceStart => ReadSequence(depth),
            MappingStart => ReadMapping(depth),
            _ => throw new OpenApiException("The file is no valid YAML."),
        };
        if (!start.Anchor.IsEmpty) anchors[start.Anchor] = (node, weight - before);
        return node;
    }

    private JsonNode? Follow(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value, out var target)) throw new OpenApiException($"The YAML alias '*{alias.Value}' has no anchor before it.");
        Take(target.Weight);
        return target.Node?.DeepClone();
    }

    private JsonArray ReadSequence(int depth)
    {
        parser.Consume<SequenceStart>();
        var items = new JsonArray();
        while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(ReadNode(depth + 1));
        return items;
    }

    private JsonObject ReadMapping(int depth)
    {
        parser.Consume<MappingStart>();
        var fields = new JsonObject();
        JsonNode? merged = null;
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key)) throw new OpenApiException("A key of the YAML is not text.");
            Take(1 + (key.Value.Length / 32));
            var value = ReadNode(depth + 1);
            if (key is { Value: "<<", IsKey: true, Style: ScalarStyle.Plain }) merged = value ?? throw WrongMerge();
            else if (!fields.TryAdd(key.Value, value)) throw new OpenApiException($"The YAML key '{JsonLeaf.Shorten(key.Value)}' stands twice (line {key.Start.Line}).");
        }
        if (merged is not null) Merge(fields, merged);
        return fields;
    }

    /// <summary>https://yaml.org/type/merge.html: what stands in the mapping itself, or in an earlier one of a list, wins.</summary>
    private void Merge(JsonObject fields, JsonNode merged)
    {
        foreach (var source in merged is JsonArray list ? list : [merged.DeepClone()])
        {
            if (source is not JsonObject more) throw WrongMerge();
            foreach (var (name, value) in more)
            {
                if (fields.ContainsKey(name)) continue;
                Take(1);
                fields[name] = value?.DeepClone();
            }
        }
    }

    private JsonNode? ReadScalar(Scalar scalar)
    {
        var text = scalar.Value;
        Take(text.Length / 32);
        if (scalar.Style != ScalarStyle.Plain || (!scalar.Tag.IsEmpty && scalar.Tag.Value.EndsWith("str", StringComparison.Ordinal))) return text;
        return text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            "true" or "True" or "TRUE" => true,
            "false" or "False" or "FALSE" => false,
            { Length: <= 40 } when Number().IsMatch(text) => JsonNode.Parse(text),   // keeps its digits: "3.0" is a version, not 3
            _ => text,
        };
    }

    private void Take(long more)
    {
        weight += more;
        if (weight > MostWeight) throw new OpenApiException("The file is too large once its YAML aliases are followed.");
    }

    private static OpenApiException WrongMerge() => new("A YAML merge key ('<<') takes a mapping.");

    [GeneratedRegex(@"^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
