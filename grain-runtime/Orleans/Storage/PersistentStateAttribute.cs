namespace Orleans.Runtime;

/// <summary>On a parameter of a grain's constructor: which of the grain's states it receives.</summary>
/// <param name="stateName">Unique within the grain class; stored, so never renamed.</param>
/// <param name="storageName">Name of the storage; there is one, so leave it out.</param>
[AttributeUsage(AttributeTargets.Parameter)]
public class PersistentStateAttribute(string stateName, string? storageName = null) : Attribute
{
    public string StateName { get; } = stateName;

    public string? StorageName { get; } = storageName;
}
