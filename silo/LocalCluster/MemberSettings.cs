using System.Collections;

namespace VoiceGrains.Silo.LocalCluster;

/// <summary>What a member finds in its environment: the launcher's own, so that whatever the operator set holds for all, but for what each must have of its own.</summary>
internal sealed class MemberSettings
{
    // One address cannot be all silos': media come through the gateway, which knows where each silo listens.
    private static readonly string[] NotForAll = ["Cluster__Address", "Media__PublicUrl"];
    private readonly Dictionary<string, string> variables = [];

    public MemberSettings()
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string)variable.Value!;
        Array.ForEach(NotForAll, Remove);
    }

    public IEnumerable<KeyValuePair<string, string>> Variables => variables;

    /// <summary>Configuration does not tell <c>Cluster__Name</c> from <c>CLUSTER__NAME</c> or <c>Cluster:Name</c>: the last one would win.</summary>
    public MemberSettings Set(string name, string value)
    {
        Remove(name);
        variables[name] = value;
        return this;
    }

    public MemberSettings Without(string name)
    {
        Remove(name);
        return this;
    }

    private void Remove(string name)
    {
        foreach (var same in variables.Keys.Where(key => key.Replace(":", "__", StringComparison.Ordinal).Equals(name, StringComparison.OrdinalIgnoreCase)).ToList())
            variables.Remove(same);
    }
}
